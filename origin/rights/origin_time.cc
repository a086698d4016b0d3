#include "origin/rights/origin_time.h"

namespace reelway::origin {

OriginTime::OriginTime(const Clock& clock) : clock_(clock), base_ms_(clock.wall_ms()), base_at_(clock.monotonic()) {}

std::int64_t OriginTime::now_ms() const {
  const std::lock_guard lock{mutex_};
  return advance_locked();
}

void OriginTime::observe(std::int64_t time_ms) {
  const std::lock_guard lock{mutex_};
  if (time_ms <= advance_locked()) return;
  base_ms_ = time_ms;
  base_at_ = clock_.monotonic();
}

std::int64_t OriginTime::advance_locked() const {
  const Clock::Monotonic at = clock_.monotonic();
  const std::int64_t counted = base_ms_ + std::chrono::floor<std::chrono::milliseconds>(at - base_at_).count();
  const std::int64_t wall = clock_.wall_ms();
  if (wall <= counted) return counted;
  base_ms_ = wall;
  base_at_ = at;
  return wall;
}

}  // namespace reelway::origin
