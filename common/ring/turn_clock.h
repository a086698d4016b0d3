#pragma once

#include <cstdint>

#include "common/base/clock.h"
#include "common/ring/ring.h"

namespace reelway::ring {

// Time as of the current turn of a ring: `base` is read once a turn, however many requests ask. So a time may be as old
// as the turn, which is as long as its handlers run, a millisecond or so, never as long as the ring sleeps. Only for
// the ring's thread, or before its first turn (when it is read each time). Both outlive this.
class TurnClock final : public Clock {
 public:
  TurnClock(const Ring& ring, const Clock& base) : ring_(ring), base_(base) {}

  Monotonic monotonic() const override {
    if (const std::uint64_t turn = ring_.turns(); turn == 0 || turn != monotonic_turn_) {
      monotonic_turn_ = turn;
      monotonic_ = base_.monotonic();
    }
    return monotonic_;
  }
  Wall wall() const override {
    if (const std::uint64_t turn = ring_.turns(); turn == 0 || turn != wall_turn_) {
      wall_turn_ = turn;
      wall_ = base_.wall();
    }
    return wall_;
  }

 private:
  const Ring& ring_;
  const Clock& base_;
  mutable std::uint64_t monotonic_turn_ = 0;
  mutable std::uint64_t wall_turn_ = 0;
  mutable Monotonic monotonic_{};
  mutable Wall wall_{};
};

}  // namespace reelway::ring
