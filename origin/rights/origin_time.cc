#include "origin/rights/origin_time.h"

#include <utility>

#include "common/telemetry/log.h"

namespace reelway::origin {

OriginTime::OriginTime(const Clock& clock) : clock_(clock), base_ms_(clock.wall_ms()), base_at_(clock.monotonic()) {}

std::int64_t OriginTime::now_ms() const {
  const std::lock_guard lock{mutex_};
  return advance_locked();
}

void OriginTime::observe(std::int64_t time_ms) {
  const std::lock_guard lock{mutex_};
  const std::int64_t now_ms = advance_locked();
  if (!std::exchange(observed_, true) && now_ms - time_ms > kStopWithoutWarning.count()) {
    telemetry::log_warn(
        "the wall clock says {} (unix ms), {} days after the last stored beat at {}: right only if this origin was "
        "stopped that long; otherwise stop it and set the clock, since the origin's time never goes back",
        now_ms, (now_ms - time_ms) / std::chrono::milliseconds(std::chrono::days(1)).count(), time_ms);
  }
  if (time_ms <= now_ms) return;
  base_ms_ = time_ms;
  base_at_ = clock_.monotonic();
}

std::uint64_t OriginTime::jumps_refused() const {
  const std::lock_guard lock{mutex_};
  return jumps_refused_;
}

std::int64_t OriginTime::advance_locked() const {
  const Clock::Monotonic at = clock_.monotonic();
  const std::int64_t counted = base_ms_ + std::chrono::floor<std::chrono::milliseconds>(at - base_at_).count();
  const std::int64_t wall = clock_.wall_ms();
  if (wall - counted > kWallAheadMax.count()) {
    if (!std::exchange(wall_refused_, true)) {
      ++jumps_refused_;
      telemetry::log_error(
          "the wall clock has jumped to {} (unix ms), {} s ahead of the origin's time {}: not followed; if it is "
          "right, "
          "restart the origin",
          wall, (wall - counted) / 1000, counted);
    }
    return counted;
  }
  wall_refused_ = false;
  if (wall <= counted) return counted;
  base_ms_ = wall;
  base_at_ = at;
  return wall;
}

}  // namespace reelway::origin
