#pragma once

#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "origin/catalog/records.h"

namespace reelway::origin {

// How far a running job is, and how long it will still take by the pace of the stage that it is in. Kept in memory
// only: after a restart the pace is measured anew. Not thread-safe.
class StagePace {
 public:
  // `progress`: of the whole job, 0 to 1. What a stage finds done when it begins says nothing of its pace.
  void update(JobStage stage, double progress, Clock::Monotonic now);

  JobStage stage() const { return stage_; }
  double progress() const { return progress_; }
  double stage_progress() const;  // 0 to 1
  // Nothing in the first two seconds, and before a fiftieth of the stage is done.
  std::optional<std::chrono::milliseconds> left(Clock::Monotonic now) const;

 private:
  JobStage stage_ = JobStage::probe;
  bool begun_ = false;
  double progress_ = 0;
  double from_ = 0;  // where the stage was when it began
  Clock::Monotonic since_{};
};

}  // namespace reelway::origin
