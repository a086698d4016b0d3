#include "edge/replica/trusted_clock.h"

#include <gtest/gtest.h>

#include "tests/unit/edge/replica/test_clock.h"

namespace reelway::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class TrustedClockTest : public ::testing::Test {
 protected:
  // A beat each second, `delay` after it was made.
  void beats(TrustedClock& clock, int count, milliseconds delay = milliseconds(0)) {
    for (int i = 0; i < count; ++i) {
      local_.pass(seconds(1));
      origin_ms_ += 1000;
      clock.beat(origin_ms_ - delay.count());
    }
  }

  StandingClock local_;
  std::int64_t origin_ms_ = local_.wall_ms();
};

TEST_F(TrustedClockTest, BeforeABeatItIsTheLaterOfWallClockAndStoredTime) {
  const std::int64_t now_ms = local_.wall_ms();
  EXPECT_EQ(TrustedClock(local_, 0).wall_ms(), now_ms);
  EXPECT_EQ(TrustedClock(local_, now_ms - 1).wall_ms(), now_ms);
  EXPECT_EQ(TrustedClock(local_, now_ms + 5000).wall_ms(), now_ms + 5000);
  EXPECT_EQ(TrustedClock(local_, 0).local_offset(), std::nullopt);
}

TEST_F(TrustedClockTest, FollowsTheOriginAndTheMonotonicClock) {
  TrustedClock clock(local_, 0);
  beats(clock, 5, milliseconds(30));
  EXPECT_EQ(clock.wall_ms(), origin_ms_ - 30);
  EXPECT_EQ(clock.local_offset(), milliseconds(30));
  local_.now += minutes(10);  // and the wall clock stands still
  EXPECT_EQ(clock.wall_ms(), origin_ms_ - 30 + 600'000);
  EXPECT_EQ(clock.monotonic(), local_.monotonic());
}

TEST_F(TrustedClockTest, TheQuickestBeatCounts) {
  TrustedClock clock(local_, 0);
  beats(clock, 5, milliseconds(400));
  beats(clock, 1, milliseconds(10));
  beats(clock, 5, milliseconds(900));
  EXPECT_EQ(clock.wall_ms(), origin_ms_ - 10);
}

TEST_F(TrustedClockTest, AWallClockSetAtRunTimeChangesNothing) {
  TrustedClock clock(local_, 0);
  beats(clock, 5);
  local_.wall_time -= minutes(10);
  EXPECT_EQ(clock.wall_ms(), origin_ms_);
  EXPECT_EQ(clock.local_offset(), -minutes(10));
  local_.wall_time += minutes(20);
  EXPECT_EQ(clock.wall_ms(), origin_ms_);
  EXPECT_EQ(clock.local_offset(), minutes(10));
}

TEST_F(TrustedClockTest, ALocalClockBehindIsCorrectedAtOnce) {
  local_.wall_time -= minutes(10);
  TrustedClock clock(local_, 0);
  beats(clock, 1);
  EXPECT_EQ(clock.wall_ms(), origin_ms_);
}

TEST_F(TrustedClockTest, ALocalClockAheadIsCorrectedWhenBeatsComeAtTheirPace) {
  local_.wall_time += minutes(10);
  TrustedClock clock(local_, 0);
  beats(clock, 3);
  EXPECT_EQ(clock.wall_ms(), origin_ms_ + 600'000);
  beats(clock, 1);
  EXPECT_EQ(clock.wall_ms(), origin_ms_);
  EXPECT_EQ(clock.local_offset(), minutes(10));
}

TEST_F(TrustedClockTest, ABacklogPlayedBackDoesNotTurnTimeBack) {
  TrustedClock clock(local_, 0);
  const std::int64_t now_ms = local_.wall_ms();
  for (int i = 600; i > 0; --i) {
    clock.beat(now_ms - i * 1000);
    EXPECT_EQ(clock.wall_ms(), now_ms);
  }
  clock.beat(now_ms);
  EXPECT_EQ(clock.wall_ms(), now_ms);
  EXPECT_EQ(clock.local_offset(), milliseconds(0));
}

TEST_F(TrustedClockTest, NeverGoesBehindATimeThatAnOriginTold) {
  const std::int64_t told_ms = local_.wall_ms();
  local_.wall_time -= minutes(60);
  TrustedClock clock(local_, told_ms);
  EXPECT_EQ(clock.wall_ms(), told_ms);
  origin_ms_ = told_ms - 30'000;  // the origin's own clock was set back, and it did not hold
  beats(clock, 10);
  EXPECT_EQ(clock.wall_ms(), told_ms + 4'000);  // with what had passed when the origin's time was known
}

TEST_F(TrustedClockTest, AStoredTimeGoesOnWhileALocalClockThatWasSetBackIsBehind) {
  const std::int64_t told_ms = local_.wall_ms();
  local_.wall_time -= minutes(60);
  TrustedClock clock(local_, told_ms);
  local_.pass(minutes(10));
  EXPECT_EQ(clock.wall_ms(), told_ms + 600'000);
  clock.beat(told_ms - 5'000);  // of a backlog: it does not hold time up either
  local_.pass(minutes(10));
  EXPECT_EQ(clock.wall_ms(), told_ms + 1'200'000);
  local_.wall_time = milliseconds(told_ms) + minutes(30);
  EXPECT_EQ(clock.wall_ms(), told_ms + 1'800'000);  // the local clock set right is ahead of it
}

TEST_F(TrustedClockTest, NeverGoesBackAndFollowsAClockThatDrifts) {
  TrustedClock clock(local_, 0);
  std::int64_t last_ms = 0;
  for (int i = 0; i < 1000; ++i) {
    local_.pass(milliseconds(1010));  // one percent fast
    origin_ms_ += 1000;
    clock.beat(origin_ms_);
    EXPECT_GE(clock.wall_ms(), last_ms);
    last_ms = clock.wall_ms();
  }
  EXPECT_LE(clock.wall_ms() - origin_ms_, 1300);
}

TEST_F(TrustedClockTest, AnotherOriginBeginsANewTime) {
  TrustedClock clock(local_, local_.wall_ms() + 500'000);
  clock.forget();
  EXPECT_EQ(clock.wall_ms(), local_.wall_ms());
  local_.now += minutes(120);
  EXPECT_EQ(clock.wall_ms(), local_.wall_ms());
}

}  // namespace
}  // namespace reelway::edge
