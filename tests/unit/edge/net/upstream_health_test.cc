#include "edge/net/upstream_health.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using State = UpstreamHealth::State;
using std::chrono::milliseconds;

class UpstreamHealthTest : public ::testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) health_.failed(now_, health_.begin_call(), 1.0);
  }
  milliseconds rest() const { return std::chrono::duration_cast<milliseconds>(health_.rest_end() - now_); }

  Clock::Monotonic now_{std::chrono::hours(1)};
  UpstreamHealth health_;
};

TEST_F(UpstreamHealthTest, RestsAfterFailuresInARow) {
  fail(2);
  EXPECT_TRUE(health_.admits(now_));
  health_.succeeded();
  fail(2);
  EXPECT_TRUE(health_.admits(now_));
  fail(1);
  EXPECT_FALSE(health_.admits(now_));
  EXPECT_EQ(rest(), milliseconds(500));
}

TEST_F(UpstreamHealthTest, OneProbeAtATimeAfterTheRest) {
  fail(3);
  now_ = health_.rest_end();
  EXPECT_TRUE(health_.admits(now_));
  EXPECT_TRUE(health_.begin_call());
  EXPECT_EQ(health_.state(), State::probing);
  EXPECT_FALSE(health_.admits(now_));
  health_.succeeded();
  EXPECT_EQ(health_.state(), State::in_use);
  fail(2);  // the count began anew
  EXPECT_TRUE(health_.admits(now_));
}

TEST_F(UpstreamHealthTest, EachFailedProbeDoublesTheRestUpToItsLimit) {
  fail(3);
  milliseconds expected(500);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rest(), expected);
    now_ = health_.rest_end();
    fail(1);
    expected = std::min(expected * 2, milliseconds(30'000));
  }
  EXPECT_EQ(rest(), milliseconds(30'000));
}

TEST_F(UpstreamHealthTest, ChanceShortensTheRestByHalfAtMost) {
  for (int i = 0; i < 3; ++i) health_.failed(now_, false, 0.0);
  EXPECT_EQ(rest(), milliseconds(250));
}

TEST_F(UpstreamHealthTest, CallsFromBeforeTheRestDoNotProlongItButEndIt) {
  fail(3);
  const auto end = health_.rest_end();
  health_.failed(now_ + milliseconds(100), false, 1.0);
  EXPECT_EQ(health_.rest_end(), end);
  health_.succeeded();
  EXPECT_TRUE(health_.admits(now_));
}

TEST_F(UpstreamHealthTest, AProbeWithoutResultLeavesTheNextOneDue) {
  fail(3);
  now_ = health_.rest_end();
  EXPECT_TRUE(health_.begin_call());
  health_.probe_without_result();
  EXPECT_TRUE(health_.admits(now_));
}

}  // namespace
}  // namespace reelway::edge
