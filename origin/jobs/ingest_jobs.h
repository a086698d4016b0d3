#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/ingest/upload.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

struct IngestRequest {
  std::string title;
  std::string name;  // empty: the title id
  std::string upload;
  std::string language = "en";  // of audio whose file names none; BCP 47
  bool new_version = false;
};

struct IngestJobsOptions {
  std::string data_dir;
  std::size_t jobs = 1;  // run at once
  std::uint32_t units_per_segment = 3;
  std::size_t queue_max = 1000;  // queued jobs; more are refused with overloaded
  TranscodeOptions transcode;
};

// Turns uploads into published versions, on threads of its own. A job's state lives in the control store; its work
// folder is scratch. A job that was interrupted, by a kill or by stop(), begins anew from the kept original at the
// next start(); after thirty attempts that a crash cut off it fails. Blocking, thread-safe.
class IngestJobs {
 public:
  IngestJobs(ControlStore& store, Catalog& catalog, Uploads& uploads, const Clock& clock, Random& random,
             IngestJobsOptions options);
  ~IngestJobs();  // stop()

  // Removes leftovers of a crash (work folders, version folders that no record publishes), takes up interrupted and
  // queued jobs, and starts the threads. Call once, after Uploads::recover().
  Result<void> start();
  // Ends running jobs by killing their children; they stay recorded as unfinished. Idempotent.
  void stop();

  // upload_not_found, upload_incomplete, title_id_invalid, title_exists, title_not_found, overloaded, store_conflict.
  Result<JobRecord> enqueue(const IngestRequest& request);
  Result<JobRecord> status(std::string_view job);  // job_not_found; progress is live

  struct Counters {
    std::size_t queued = 0, running = 0;
    std::uint64_t done = 0, failed = 0;
  };
  Counters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
