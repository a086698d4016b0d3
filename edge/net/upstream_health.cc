#include "edge/net/upstream_health.h"

#include <algorithm>

namespace reelway::edge {

bool UpstreamHealth::begin_call() {
  if (state_ != State::resting) return false;
  state_ = State::probing;
  return true;
}

void UpstreamHealth::succeeded() {
  state_ = State::in_use;
  failures_ = 0;
  rest_ = std::chrono::milliseconds(0);
}

void UpstreamHealth::failed(Clock::Monotonic now, bool was_probe, double chance) {
  if (state_ == State::in_use) {
    if (++failures_ < options_.failures_max) return;
  } else if (!was_probe) {
    return;  // a call from before the rest: its failure is no news
  }
  rest_ = std::clamp(rest_ * 2, options_.rest_min, options_.rest_max);
  const auto shortened = std::chrono::duration<double, std::milli>(rest_) * (0.5 + chance / 2);
  rest_end_ = now + std::chrono::ceil<std::chrono::milliseconds>(shortened);
  state_ = State::resting;
}

void UpstreamHealth::probe_without_result() {
  if (state_ == State::probing) state_ = State::resting;
}

}  // namespace reelway::edge
