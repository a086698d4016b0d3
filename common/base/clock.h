#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>

namespace reelway {

// Time comes in through this seam so that tests can replace it. Monotonic time measures durations and
// staleness; wall time is only for what is compared between machines (token times, HTTP dates).
class Clock {
 public:
  using Monotonic = std::chrono::steady_clock::time_point;
  using Wall = std::chrono::sys_time<std::chrono::milliseconds>;

  virtual ~Clock() = default;
  virtual Monotonic monotonic() const = 0;
  virtual Wall wall() const = 0;

  std::int64_t wall_ms() const { return wall().time_since_epoch().count(); }
  std::int64_t wall_s() const { return wall_ms() / 1000; }
};

class SystemClock final : public Clock {
 public:
  // Counts also while the machine is suspended (CLOCK_BOOTTIME), as ages and windows must.
  Monotonic monotonic() const override {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return Monotonic(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  }
  Wall wall() const override { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
};

}  // namespace reelway
