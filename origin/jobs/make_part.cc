#include "origin/jobs/make_part.h"

#include "origin/ingest/durable_files.h"
#include "origin/jobs/file_sum.h"
#include "origin/jobs/track_indexing.h"

namespace reelway::origin {
namespace {

Result<void> check_video(const std::string& path, const EncodePart& part) {
  const Result<mp4::TrackIndex> index = read_track(path, nullptr);
  if (!index.ok()) return index.error();
  const std::size_t pictures = index->samples.size();
  if (pictures == part.frames) return {};
  const std::string detail =
      part.name + ": " + std::to_string(pictures) + " of " + std::to_string(part.frames) + " pictures could be decoded";
  if (pictures < part.frames) return Error{ErrorCode::media_truncated, Side::client, false, detail};
  return Error{ErrorCode::transcode_failed, Side::self, false, detail};
}

}  // namespace

Result<TaskOutcome> make_part(const EncodePlan& plan, const EncodePart& part, const TranscodeOptions& options,
                              const StopSignal& stop, const std::function<void(double)>& on_progress, JobCost& cost) {
  const Result<ToolCost> made = transcode(plan, part, options, stop, on_progress);
  if (!made.ok()) return made.error();
  cost.cpu_s += made->cpu_s;
  cost.wall_s += made->wall_s;
  TaskOutcome outcome;
  for (const std::string& name : part_files(plan, part)) {
    const std::string path = plan.output_folder + "/" + name;
    if (!part.audio) REELWAY_TRY(check_video(path, part));
    const Result<FileSum> sum = sum_file(path);
    if (!sum.ok()) return sum.error();
    REELWAY_TRY(sync_file(path));
    outcome.files.push_back({name, sum->bytes, sum->crc32c});
    cost.bytes += sum->bytes;
  }
  REELWAY_TRY(sync_folder(plan.output_folder));
  outcome.cost = cost;
  return outcome;
}

}  // namespace reelway::origin
