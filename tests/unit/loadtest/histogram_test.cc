#include "loadtest/histogram.h"

#include <gtest/gtest.h>

namespace reelway::loadtest {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99).count(), 0);
  EXPECT_EQ(histogram.mean().count(), 0);
}

TEST(Histogram, QuantilesAreAtMostThreePercentHigh) {
  Histogram histogram;
  for (std::int64_t value = 1; value <= 100'000; ++value) histogram.record(nanoseconds(value * 1000));
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double right = share * 100'000 * 1000;
    const auto got = static_cast<double>(histogram.quantile(share).count());
    EXPECT_GE(got, right) << share;
    EXPECT_LE(got, right * 1.032) << share;
  }
  EXPECT_EQ(histogram.max().count(), 100'000'000);
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_EQ(histogram.mean().count(), 50'000'500);
}

TEST(Histogram, HoldsTheSmallestAndTheGreatest) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{31}, std::int64_t{32},
                                   std::int64_t{63}, std::int64_t{64}, INT64_MAX}) {
    Histogram histogram;
    histogram.record(nanoseconds(value));
    EXPECT_EQ(histogram.quantile(0.5).count(), value);
  }
}

TEST(Histogram, ANegativeDurationCountsAsNone) {
  Histogram histogram;
  histogram.record(nanoseconds(-5));
  EXPECT_EQ(histogram.max().count(), 0);
  EXPECT_EQ(histogram.count(), 1u);
}

}  // namespace
}  // namespace reelway::loadtest
