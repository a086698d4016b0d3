#pragma once

#include <memory>
#include <optional>

#include "origin/jobs/job_board.h"

namespace reelway::origin {

// Where a worker gets its work and brings what it made: the origin's own board, or an origin over HTTP. Blocking;
// thread-safe. Every call but next() must answer within a few seconds or fail.
class TaskSource {
 public:
  virtual ~TaskSource() = default;

  struct Work {
    Assignment assignment;
    std::string source;  // path of the film on this machine
    std::string folder;  // exists, empty: what is made goes here
  };

  // Waits for work, at most about a second; then none. Claims it, and brings the film here if it is not.
  virtual Result<std::optional<Work>> next() = 0;
  virtual Result<void> renew(const Work& work, double progress) = 0;  // claim_lost
  // The files lie in the work's folder, synced.
  virtual Result<void> complete(const Work& work, const TaskOutcome& outcome) = 0;
  virtual Result<void> fail(const Work& work, const Error& error, const JobCost& cost) = 0;
  virtual Result<void> release(const Work& work) = 0;
};

}  // namespace reelway::origin
