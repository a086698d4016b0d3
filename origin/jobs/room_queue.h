#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "origin/jobs/job_step.h"

namespace reelway::origin {

// Steps that met a full disk, until it is worth while to try them again: when there is clearly more room than there was
// then, and in any case after a while, because what is lacking may not be free bytes (a quota, a file of the control
// store). Not thread-safe.
class RoomQueue {
 public:
  // `free_bytes`: what the disk had left when the step failed.
  void add(JobStep step, Error error, std::uint64_t free_bytes, Clock::Monotonic now);
  // Takes those out that are to be tried again.
  std::vector<JobStep> take(std::uint64_t free_bytes, Clock::Monotonic now);
  void remove(std::string_view job);
  // Why the job waits; none when it does not.
  std::optional<Error> reason(std::string_view job) const;
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    JobStep step;
    Error error;
    std::uint64_t free_bytes = 0;
    Clock::Monotonic since;
  };
  std::map<std::string, Waiting, std::less<>> waiting_;  // by job
};

}  // namespace reelway::origin
