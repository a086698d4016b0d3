#pragma once

#include <cstdint>
#include <mutex>

#include "common/base/clock.h"

namespace reelway::origin {

// The time by which rights are decided. It follows the wall clock forward, and never goes back: a clock that is set
// back would bring rentals back that have ended. So it is the wall clock, or the highest time ever seen (in this
// process, or by observe() from what an earlier one stored) plus the monotonic time since, whichever is later.
// Thread-safe.
class OriginTime final : public Clock {
 public:
  explicit OriginTime(const Clock& clock);

  std::int64_t now_ms() const;
  std::int64_t now_s() const { return now_ms() / 1000; }
  // At start, with the time of the stored beat. A time that lies behind changes nothing.
  void observe(std::int64_t time_ms);

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
};

}  // namespace reelway::origin
