#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/catalog/records.h"
#include "origin/ingest/upload.h"
#include "origin/jobs/join_parts.h"
#include "origin/jobs/work_folders.h"
#include "origin/quality/quality_store.h"
#include "origin/transcode/picture_options.h"
#include "origin/transcode/sound_plan.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// What the origin itself does for one job, before and after its parts are made. Each may be cut off anywhere and done
// again.
class IngestRun {
 public:
  struct Parts {
    ControlStore& store;
    const Clock& clock;
    Catalog& catalog;
    Uploads& uploads;
    const TranscodeOptions& transcode;
    const QualityRules& quality;
    const SoundOptions& sound;
    const PictureOptions& picture;
    const StopSignal& stop;
    WorkFolders folders;
    std::size_t decoders;                               // that may verify files at once
    std::string pictures;                               // folder for those of the quality report
    std::function<void(JobStage, double)> on_progress;  // of the whole job
  };
  IngestRun(const Parts& parts, JobRecord job);

  // Keeps the original, looks at it, checks its quality unless it has been checked, and decides what to make of it,
  // after trying samples of it.
  // Nothing is visible yet. quality_blocked: somebody must waive findings, or send another file.
  Result<EncodePlan> prepare();
  // Joins the parts, verifies the whole and moves it into place: the record to be published, whose cost is that of
  // verifying. verification_failed; on any error nothing is visible.
  Result<VersionRecord> finish(const EncodePlan& plan, const std::vector<TaskRecord>& parts);

 private:
  Result<void> keep_original(const VersionRecord& version);
  Result<void> choose_rates(EncodePlan& plan);
  Result<QualityReport> check_quality(const VersionRecord& version, const SourceFacts& facts);
  static Result<void> join(const EncodePlan& plan, const std::vector<DonePart>& parts);
  Result<void> make_side_tracks(const EncodePlan& plan, VersionRecord& version, JobCost& cost);
  Result<void> move_into_place();

  Parts parts_;
  JobRecord job_;
  std::string original_;
  std::string outputs_;  // what becomes the version's folder
};

// The part of the whole job's progress that is one stage's.
struct StageSpan {
  double from = 0, to = 0;
};
StageSpan span_of(JobStage stage);
// Of the whole job, when its parts are made to this part.
double encoding_progress(double part);

}  // namespace reelway::origin
