#include "origin/jobs/ingest_run.h"

#include <cmath>

#include "origin/ingest/durable_files.h"
#include "origin/jobs/track_indexing.h"

// Model. The steps of one attempt, each of which may be cut off anywhere and done again:
//
//   keep       uploads/<id>.part becomes originals/<title>/<version>/source, where it stays whatever happens
//   probe      what the film is, or why it is none
//   transcode  into work/<job>/version/, which nobody else reads
//   index      index and check every track there, and sync all of it
//   publish    rename that folder to titles/<title>/<version>, then one transaction makes it visible
//
// A folder in titles/ without a published record is nobody's: start() removes it.

namespace reelway::origin {
namespace {

// Parts of the whole by which progress is told.
constexpr double kProbed = 0.03;
constexpr double kTranscoded = 0.95;
constexpr double kIndexed = 0.99;

}  // namespace

IngestRun::IngestRun(const Parts& parts, JobRecord job)
    : parts_(parts),
      job_(std::move(job)),
      original_(parts_.catalog.original_path(job_.title, job_.version)),
      folder_(parts_.work_folder + "/" + job_.job),
      outputs_(folder_ + "/version") {}

Result<VersionRecord> IngestRun::run() {
  Result<VersionRecord> version = build();
  const Result<void> removed = remove_all(folder_);
  if (version.ok() && !removed.ok()) return removed.error();
  return version;
}

Result<VersionRecord> IngestRun::build() {
  Result<VersionRecord> version = parts_.catalog.version(job_.title, job_.version);
  if (!version.ok()) return version;
  parts_.on_progress(JobStage::probe, 0);
  REELWAY_TRY(keep_original());
  REELWAY_TRY(remove_all(folder_));
  REELWAY_TRY(make_folders(outputs_));
  const Result<SourceFacts> facts = probe(original_, parts_.transcode, parts_.stop);
  if (!facts.ok()) return facts.error();

  EncodePlan plan = plan_encode(*facts, version->language);
  plan.source = original_;
  plan.output_folder = outputs_;
  parts_.on_progress(JobStage::transcode, kProbed);
  REELWAY_TRY(transcode(plan, parts_.transcode, parts_.stop, [&](double part) {
    parts_.on_progress(JobStage::transcode, kProbed + part * (kTranscoded - kProbed));
  }));

  parts_.on_progress(JobStage::index, kTranscoded);
  Result<std::vector<TrackRecord>> tracks = index_outputs(plan);
  if (!tracks.ok()) return std::move(tracks).error();
  version->tracks = std::move(tracks).value();
  version->duration_ms = std::llround(plan.duration_s() * 1000);

  parts_.on_progress(JobStage::publish, kIndexed);
  REELWAY_TRY(move_into_place());
  return version;
}

Result<void> IngestRun::keep_original() {
  if (exists(original_)) return {};
  return move_durably(parts_.uploads.part_path(job_.upload), original_);
}

Result<void> IngestRun::move_into_place() {
  const std::string place = parts_.catalog.version_folder(job_.title, job_.version);
  REELWAY_TRY(remove_all(place));
  return move_durably(outputs_, place);
}

}  // namespace reelway::origin
