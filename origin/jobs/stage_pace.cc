#include "origin/jobs/stage_pace.h"

#include <algorithm>

#include "origin/jobs/ingest_run.h"

// Stages differ in what a hundredth of the whole costs, so only the present one tells of the pace; those that follow
// transcoding are short beside it.

namespace reelway::origin {
namespace {

constexpr std::chrono::seconds kMeasured{2};
constexpr double kMeasuredPart = 0.02;

}  // namespace

void StagePace::update(JobStage stage, double progress, Clock::Monotonic now) {
  if (!begun_ || stage != stage_) {
    begun_ = true;
    stage_ = stage;
    from_ = progress;
    since_ = now;
  }
  progress_ = progress;
}

double StagePace::stage_progress() const {
  const StageSpan span = span_of(stage_);
  return std::clamp((progress_ - span.from) / (span.to - span.from), 0.0, 1.0);
}

std::optional<std::chrono::milliseconds> StagePace::left(Clock::Monotonic now) const {
  const StageSpan span = span_of(stage_);
  const double done = progress_ - from_;
  if (!begun_ || now - since_ < kMeasured || done < kMeasuredPart * (span.to - span.from)) return std::nullopt;
  const std::chrono::duration<double, std::milli> elapsed = now - since_;
  return std::chrono::milliseconds(static_cast<std::int64_t>(elapsed.count() * (1 - progress_) / done));
}

}  // namespace reelway::origin
