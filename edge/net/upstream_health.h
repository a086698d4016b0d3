#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace reelway::edge {

struct UpstreamHealthOptions {
  std::size_t failures_max = 3;             // in a row; the last of them begins a rest
  std::chrono::milliseconds rest_min{500};  // the first rest; each one after a failed probe is twice as long
  std::chrono::milliseconds rest_max{30'000};
};

// Whether an upstream is asked, by what became of the calls before: pure, with times and chance from outside.
//
//   in_use -- failures_max in a row --> resting -- its time is over, and a call is given to it --> probing
//   probing -- an answer --> in_use            probing -- a failure --> resting, for twice as long
//
// An answer to any call, also to one from before the rest, puts it in use again. One probe is under way at a time, and
// it is a viewer's own call: if it fails, that call goes to another upstream.
class UpstreamHealth {
 public:
  enum class State : std::uint8_t { in_use, resting, probing };

  explicit UpstreamHealth(const UpstreamHealthOptions& options = {}) : options_(options) {}

  State state() const { return state_; }
  // Whether a call may be given to it now: it is in use, or a probe is due.
  bool admits(Clock::Monotonic now) const {
    return state_ == State::in_use || (state_ == State::resting && now >= rest_end_);
  }
  Clock::Monotonic rest_end() const { return rest_end_; }  // while resting

  // A call is given to it; whether that call is its probe. Also before the rest is over, when there is nobody else.
  bool begin_call();
  void succeeded();
  // `was_probe`: what begin_call() said. `chance` of 0 to 1 makes the rest between half as long and as long as its
  // time, so that edges that lost an upstream together do not come back to it together.
  void failed(Clock::Monotonic now, bool was_probe, double chance);
  // A probe ended without saying anything of the upstream (its caller wanted no more).
  void probe_without_result();

 private:
  const UpstreamHealthOptions options_;
  State state_ = State::in_use;
  std::size_t failures_ = 0;  // in a row
  std::chrono::milliseconds rest_{0};
  Clock::Monotonic rest_end_;
};

}  // namespace reelway::edge
