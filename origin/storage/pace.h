#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/result.h"
#include "origin/objects/object_store.h"

namespace reelway::origin {

// Holds back whoever reads or sends, so that on average no more than a set number of bytes pass a second; what was not
// used in a pause does not add up. One thread.
class Pace {
 public:
  Pace(const Clock& clock, Patience& patience, std::uint64_t bytes_per_second)
      : clock_(clock), patience_(patience), rate_(bytes_per_second), free_at_(clock.monotonic()) {}

  // Waits until `bytes` more may pass. shutting_down when patience was given up.
  Result<void> spend(std::uint64_t bytes) {
    const auto now = clock_.monotonic();
    if (free_at_ < now) free_at_ = now;
    free_at_ += std::chrono::microseconds(bytes * 1'000'000 / rate_);
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(free_at_ - now);
    const bool stopped = wait.count() > 0 ? !patience_.wait(wait) : patience_.given_up();
    if (stopped) return Error{ErrorCode::shutting_down, Side::self, true, "stopped"};
    return {};
  }

 private:
  const Clock& clock_;
  Patience& patience_;
  const std::uint64_t rate_;
  Clock::Monotonic free_at_;
};

}  // namespace reelway::origin
