#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "common/base/clock.h"

namespace reelway::origin {

// The time by which rights are decided. It follows the wall clock forward, and never goes back: a clock that is set
// back would bring rentals back that have ended. So it is the wall clock, or the highest time ever seen (in this
// process, or by observe() from what an earlier one stored) plus the monotonic time since, whichever is later.
//
// Since it cannot go back, a wall clock that is wrong for a moment must not be followed: one that runs more than
// kWallAheadMax ahead of the time counted on is left alone until it is within that again. Whether it was right after
// all (a clock that was set only after the start) is for an operator: a restart takes it as it is.
// Thread-safe.
class OriginTime final : public Clock {
 public:
  static constexpr std::chrono::milliseconds kWallAheadMax = std::chrono::hours(1);
  static constexpr std::chrono::milliseconds kStopWithoutWarning = std::chrono::days(30);

  explicit OriginTime(const Clock& clock);

  std::int64_t now_ms() const;
  std::int64_t now_s() const { return now_ms() / 1000; }
  // At start, with the time of the stored beat. A time that lies behind changes nothing; the first one is warned of
  // when it lies so far behind that the wall clock may be wrong.
  void observe(std::int64_t time_ms);
  std::uint64_t jumps_refused() const;  // how often the wall clock was left alone

  Monotonic monotonic() const override { return clock_.monotonic(); }
  Wall wall() const override { return Wall(std::chrono::milliseconds(now_ms())); }

 private:
  std::int64_t advance_locked() const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  // The highest time that did not come from counting on, and when it was seen. Counting always from one point keeps
  // the rounding to milliseconds from adding up.
  mutable std::int64_t base_ms_;
  mutable Monotonic base_at_;
  mutable bool wall_refused_ = false;  // so that a wrong clock is logged and counted once, not at each look
  mutable std::uint64_t jumps_refused_ = 0;
  bool observed_ = false;
};

}  // namespace reelway::origin
