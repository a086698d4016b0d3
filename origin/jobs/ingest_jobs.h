#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/upload.h"
#include "origin/jobs/disk_room.h"
#include "origin/jobs/job_board.h"
#include "origin/jobs/work_folders.h"
#include "origin/quality/rules.h"
#include "origin/transcode/picture_options.h"
#include "origin/transcode/sound_plan.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

struct IngestRequest {
  std::string title;
  std::string name;  // empty: the title id
  std::string upload;
  std::string language = "en";  // of audio whose file names none; BCP 47
  bool new_version = false;
  std::int64_t priority = 0;           // -100 to 100; a higher one comes first
  std::vector<DeliveredFile> files{};  // that came with it, each with its upload
};

// Who publishes a version that is made and verified.
//   rule    it is published at once; findings of its quality that block have held its job before
//   clean   the same, if there is no warning that nobody has waived; else a person
//   person  somebody approves it first (origin/rights/publishing.h)
enum class Approval : std::uint8_t { rule, clean, person };

struct IngestJobsOptions {
  std::string data_dir;
  std::size_t slots = 1;  // parts that this process makes at once; 0: only other workers make them
  std::uint32_t units_per_segment = 3;
  std::size_t queue_max = 1000;                 // queued jobs; more are refused with overloaded
  std::uint64_t free_bytes_min = 256ull << 20;  // what films leave free on the disk
  FreeBytes free_bytes = &origin::free_bytes;
  Approval approval = Approval::rule;
  TranscodeOptions transcode;
  QualityRules quality;
  SoundOptions sound;
  PictureOptions picture;
  JobBoardOptions board;
};

// Turns uploads into published versions. A job's state lives in the control store: after an interruption, by a kill or
// by stop(), it goes on at the next start() with the parts that are not made yet; after thirty attempts that a crash
// cut off it fails. Parts are made by this process and by whoever else takes them from board(). A job that finds the
// disk full is held with disk_full, and goes on by itself when there is room. Blocking, thread-safe.
class IngestJobs {
 public:
  IngestJobs(ControlStore& store, Catalog& catalog, Uploads& uploads, const Clock& clock, Random& random,
             IngestJobsOptions options);
  ~IngestJobs();  // stop()

  // Removes leftovers of a crash (work that no job can use, version folders that no record publishes), takes up
  // interrupted and queued jobs, and starts the threads. Call once, after Uploads::recover().
  Result<void> start();
  // Ends running jobs by killing their children; they stay recorded as unfinished. Idempotent.
  void stop();

  // upload_not_found, upload_incomplete, title_id_invalid, title_exists, title_not_found, overloaded, store_conflict.
  Result<JobRecord> enqueue(const IngestRequest& request);
  Result<JobRecord> status(std::string_view job);  // job_not_found; progress is live
  Result<std::vector<JobRecord>> list();           // all jobs, the oldest first; progress is live
  // Ends a job that is not done: it fails with job_cancelled, its original is kept. job_not_found; store_conflict when
  // it has ended already.
  Result<JobRecord> cancel(std::string_view job);

  // Goes on with a job of this version that was held, if nothing holds it any more. Errors of the store.
  Result<void> reconsider(std::string_view title, std::string_view version);

  JobBoard& board();
  const WorkFolders& folders() const;
  const DiskRoom& room() const;

  struct Counters {
    std::size_t queued = 0, running = 0;
    std::size_t without_room = 0;  // held by a full disk
    std::uint64_t done = 0, failed = 0;
    JobBoard::Counters parts;  // as they were a second ago at most, so that nobody waits for the board
  };
  Counters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
