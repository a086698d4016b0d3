#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/catalog/records.h"
#include "origin/ingest/upload.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// One attempt at one job, from the upload's file to a version in place and published.
class IngestRun {
 public:
  struct Parts {
    Catalog& catalog;
    Uploads& uploads;
    const TranscodeOptions& transcode;
    const StopSignal& stop;
    std::string work_folder;  // "<data_dir>/work"
    std::function<void(JobStage, double)> on_progress;
  };
  IngestRun(const Parts& parts, JobRecord job);

  // The published version's record. Any error leaves the original where it is and nothing visible; the work folder is
  // removed in either case.
  Result<VersionRecord> run();

 private:
  Result<VersionRecord> build();
  Result<void> keep_original();
  Result<void> move_into_place();

  Parts parts_;
  JobRecord job_;
  std::string original_;
  std::string folder_;   // of this job's work
  std::string outputs_;  // within it: what becomes the version's folder
};

}  // namespace reelway::origin
