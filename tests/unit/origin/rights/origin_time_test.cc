#include "origin/rights/origin_time.h"

#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

TEST(OriginTime, FollowsTheWallClockForwardOnly) {
  HandClock clock;
  const OriginTime time(clock);
  EXPECT_EQ(time.now_s(), kNow);
  clock.pass(10);
  EXPECT_EQ(time.now_s(), kNow + 10);
  clock.set_wall(kNow + 1000);
  EXPECT_EQ(time.now_s(), kNow + 1000);
  clock.set_wall(kNow - 1000);
  EXPECT_EQ(time.now_s(), kNow + 1000);
  clock.pass(10);
  EXPECT_EQ(time.now_s(), kNow + 1010);
  EXPECT_EQ(time.wall_s(), kNow + 1010);
  clock.set_wall(kNow + 1011);
  EXPECT_EQ(time.now_s(), kNow + 1011);
}

TEST(OriginTime, WhatWasStoredIsGoneOnFrom) {
  HandClock clock;
  OriginTime time(clock);
  time.observe((kNow + 500) * 1000 + 7);
  EXPECT_EQ(time.now_ms(), (kNow + 500) * 1000 + 7);
  clock.pass(3);
  time.observe(kNow * 1000);
  EXPECT_EQ(time.now_ms(), (kNow + 503) * 1000 + 7);
}

TEST(OriginTime, JumpOfTheWallClockIsNotFollowed) {
  HandClock clock;
  const OriginTime time(clock);
  clock.set_wall(kNow + kHour);
  EXPECT_EQ(time.now_s(), kNow + kHour);
  clock.set_wall(kNow + 2 * kHour + 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(time.now_s(), kNow + kHour);
  EXPECT_EQ(time.jumps_refused(), 1u);
  clock.pass(10);
  EXPECT_EQ(time.now_s(), kNow + kHour + 10);
  // Right again: followed again.
  clock.set_wall(kNow + kHour + 20);
  EXPECT_EQ(time.now_s(), kNow + kHour + 20);
  clock.set_wall(kNow + 900 * kDay);
  EXPECT_EQ(time.now_s(), kNow + kHour + 20);
  EXPECT_EQ(time.jumps_refused(), 2u);
  // However long nobody has looked, time that has passed is no jump.
  clock.set_wall(kNow + kHour + 20);
  clock.pass(100 * kDay);
  EXPECT_EQ(time.now_s(), kNow + kHour + 20 + 100 * kDay);
  EXPECT_EQ(time.jumps_refused(), 2u);
}

TEST(OriginTime, LongStopIsNoJump) {
  HandClock clock;
  OriginTime time(clock);
  time.observe((kNow - 400 * kDay) * 1000);
  EXPECT_EQ(time.now_s(), kNow);
  EXPECT_EQ(time.jumps_refused(), 0u);
}

// A clock whose monotonic time moves by less than a millisecond at each look.
class FineClock final : public Clock {
 public:
  Monotonic monotonic() const override { return Monotonic(std::chrono::microseconds(looks_ += 300)); }
  Wall wall() const override { return Wall(std::chrono::milliseconds(0)); }

 private:
  mutable std::int64_t looks_ = 0;
};

TEST(OriginTime, RoundingDoesNotAddUp) {
  const FineClock clock;
  const OriginTime time(clock);
  for (int i = 0; i < 9'999; ++i) (void)time.now_ms();
  EXPECT_EQ(time.now_ms(), 3'000);
}

}  // namespace
}  // namespace reelway::origin
