#pragma once

#include "common/base/clock.h"

namespace reelway::edge {

// Real time, moved by hand.
struct MovedClock final : Clock {
  Monotonic monotonic() const override { return system.monotonic() + moved; }
  Wall wall() const override { return system.wall() + moved + wall_moved; }

  SystemClock system;
  std::chrono::milliseconds moved{0};       // both clocks
  std::chrono::milliseconds wall_moved{0};  // the wall clock alone
};

// Stands still but for what the test does.
struct StandingClock final : Clock {
  Monotonic monotonic() const override { return Monotonic(now); }
  Wall wall() const override { return Wall(wall_time); }
  void pass(std::chrono::milliseconds time) {
    now += time;
    wall_time += time;
  }

  std::chrono::milliseconds now{1'000'000};
  std::chrono::milliseconds wall_time{1'800'000'000'000};
};

}  // namespace reelway::edge
