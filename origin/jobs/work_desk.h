#pragma once

#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "origin/catalog/catalog.h"
#include "origin/jobs/job_board.h"
#include "origin/jobs/work_folders.h"

namespace reelway::origin {

// The board as workers on other machines use it: they read the film and bring their files through here. Blocking;
// thread-safe. Everything but claim() needs a claim that stands: claim_lost.
class WorkDesk {
 public:
  WorkDesk(JobBoard& board, const Catalog& catalog, WorkFolders folders, const DiskRoom& room)
      : board_(board), catalog_(catalog), folders_(std::move(folders)), room_(room) {}

  Result<std::optional<Assignment>> claim(const std::string& worker);
  Result<void> renew(const ClaimId& claim, double progress) { return board_.renew(claim, progress); }

  struct Source {
    UniqueFd file;
    std::uint64_t bytes = 0;
  };
  Result<Source> source(const ClaimId& claim);  // of the whole film; not_found_on_disk

  // A piece of one of the part's files. http_bad_request for another name, disk_full, io_failed.
  Result<void> write(const ClaimId& claim, const std::string& name, std::uint64_t offset, ByteView bytes);
  // All files have come: they are compared with what the worker says it has made, and synced, before the part counts
  // as done. http_bad_request names the file that differs; then it may be brought again.
  Result<void> complete(const ClaimId& claim, const TaskOutcome& outcome);
  Result<void> fail(const ClaimId& claim, const Error& error, const JobCost& cost);
  Result<void> release(const ClaimId& claim);

 private:
  JobBoard& board_;
  const Catalog& catalog_;
  const WorkFolders folders_;
  const DiskRoom& room_;
};

}  // namespace reelway::origin
