#include "common/ring/turn_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace reelway::ring {
namespace {

// Goes on by a second with each look.
class CountingClock final : public Clock {
 public:
  Monotonic monotonic() const override { return Monotonic(std::chrono::seconds(++looks_)); }
  Wall wall() const override { return Wall(std::chrono::seconds(++looks_)); }
  int looks() const { return looks_; }

 private:
  mutable int looks_ = 0;
};

TEST(TurnClockTest, StandsStillWithinATurnAndGoesOnWithTheNext) {
  auto ring = std::move(Ring::create({.entries = 8, .receive_buffers = 2})).value();
  const CountingClock base;
  const TurnClock clock(*ring, base);
  EXPECT_NE(clock.monotonic(), clock.monotonic());  // before the first turn there is no turn to stand still in
  EXPECT_NE(clock.wall(), clock.wall());
  std::vector<Clock::Monotonic> monotonic;
  std::vector<Clock::Wall> wall;
  int left = 3;
  const auto look = [&](auto&& again) -> void {
    for (int i = 0; i < 2; ++i) {
      monotonic.push_back(clock.monotonic());
      wall.push_back(clock.wall());
    }
    if (--left == 0) return ring->stop();
    ring->defer([&again] { again(again); });
  };
  ring->defer([] {});  // the first turn
  ring->defer([&] { ring->defer([&] { look(look); }); });
  ring->run();
  ASSERT_EQ(monotonic.size(), 6u);
  for (std::size_t i = 0; i < 6; i += 2) {
    EXPECT_EQ(monotonic[i], monotonic[i + 1]);
    EXPECT_EQ(wall[i], wall[i + 1]);
  }
  EXPECT_LT(monotonic[0], monotonic[2]);
  EXPECT_LT(wall[2], wall[4]);
}

}  // namespace
}  // namespace reelway::ring
