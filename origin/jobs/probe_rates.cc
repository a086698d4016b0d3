#include "origin/jobs/probe_rates.h"

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/track_indexing.h"

namespace reelway::origin {
namespace {

// A sample shorter than half of what it should be lies at the film's end, or behind a hole: it tells too little.
bool is_long_enough(std::uint64_t frames, const EncodePart& part) {
  return frames > 0 && frames * 2 >= part.frames;
}

Result<RateSample> measure(const EncodePlan& plan, const EncodePart& part) {
  RateSample sample;
  for (const std::string& name : part_files(plan, part)) {
    const Result<mp4::TrackIndex> index = read_track(plan.output_folder + "/" + name, nullptr);
    if (!index.ok()) return index.error();
    std::uint64_t bytes = 0;
    for (const mp4::Unit& unit : index->units) bytes += unit.file_bytes;
    sample.bytes.push_back(bytes);
    sample.frames = index->samples.size();
  }
  if (is_long_enough(sample.frames, part)) return sample;
  return Error{ErrorCode::transcode_failed, Side::client, false,
               "only " + std::to_string(sample.frames) + " of " + std::to_string(part.frames) + " pictures"};
}

bool ends_the_trial(const Error& error) {
  return error.code == ErrorCode::shutting_down || error.code == ErrorCode::sandbox_unavailable ||
         error.code == ErrorCode::disk_full;
}

}  // namespace

Result<RateTrial> try_samples(const EncodePlan& plan, const TranscodeOptions& options, const StopSignal& stop,
                              const std::function<void(double)>& on_progress) {
  RateTrial trial;
  const std::vector<EncodePart> parts = rate_samples(plan);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    on_progress(static_cast<double>(i) / static_cast<double>(parts.size()));
    REELWAY_TRY(remove_all(plan.output_folder));
    REELWAY_TRY(make_folders(plan.output_folder));
    const Result<ToolCost> made = transcode(plan, parts[i], options, stop, [](double) {});
    if (!made.ok() && ends_the_trial(made.error())) return made.error();
    if (made.ok()) trial.cpu_s += made->cpu_s;
    Result<RateSample> sample = made.ok() ? measure(plan, parts[i]) : Result<RateSample>(made.error());
    if (sample.ok())
      trial.samples.push_back(std::move(sample).value());
    else
      telemetry::log_info("{} of {} tells nothing about bit rates: {}", parts[i].name, plan.source,
                          describe(sample.error()));
  }
  REELWAY_TRY(remove_all(plan.output_folder));
  on_progress(1);
  return trial;
}

}  // namespace reelway::origin
