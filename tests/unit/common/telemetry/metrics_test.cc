#include "common/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reelway::telemetry {
namespace {

using testing::HasSubstr;

constexpr MetricInfo kRequests{"reelway_test_requests_total", MetricKind::counter, "Requests answered."};
constexpr MetricInfo kBytes{"reelway_test_memory_bytes", MetricKind::gauge, "Memory in use."};
constexpr MetricInfo kTime{"reelway_test_duration_seconds", MetricKind::histogram, "Time to the last byte."};

TEST(MetricPage, PrintsFamiliesTogether) {
  MetricPage page;
  page.counter(kRequests, 3, {{"status", "200"}}).gauge(kBytes, 1.5).counter(kRequests, 1, {{"status", "404"}});
  EXPECT_EQ(page.text(),
            "# HELP reelway_test_requests_total Requests answered.\n"
            "# TYPE reelway_test_requests_total counter\n"
            "reelway_test_requests_total{status=\"200\"} 3\n"
            "reelway_test_requests_total{status=\"404\"} 1\n"
            "# HELP reelway_test_memory_bytes Memory in use.\n"
            "# TYPE reelway_test_memory_bytes gauge\n"
            "reelway_test_memory_bytes 1.5\n");
}

TEST(MetricPage, LargeCountersStayWhole) {
  MetricPage page;
  page.counter(kRequests, 9'007'199'254'740'992u);
  EXPECT_THAT(page.text(), HasSubstr("reelway_test_requests_total 9007199254740992\n"));
}

TEST(MetricPage, LabelValuesAreEscaped) {
  MetricPage page;
  page.counter(kRequests, 1, {{"agent", "a\"b\\c\nd"}});
  EXPECT_THAT(page.text(), HasSubstr("{agent=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(MetricPage, HistogramIsCumulative) {
  Histogram histogram;
  for (const std::uint64_t us : {0, 500, 501, 1'000, 8'192'000, 8'192'001}) histogram.observe_us(us);
  MetricPage page;
  page.histogram(kTime, histogram);
  const std::string text = page.text();
  EXPECT_THAT(text, HasSubstr("reelway_test_duration_seconds_count 6\n"));
  EXPECT_THAT(text, HasSubstr("reelway_test_duration_seconds_sum 16.386002\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"0.0005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"0.001\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"4.096\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"8.192\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"+Inf\"} 6\n"));
}

TEST(MetricPageDeathTest, KindMustBeThatOfTheTable) {
  MetricPage page;
  EXPECT_DEATH(page.gauge(kRequests, 1), "CHECK failed");
}

TEST(ReferencePage, HasARowForEveryMetric) {
  const MetricInfo table[] = {kRequests, kBytes, kTime};
  const std::string page = reference_page(table, "reelway-test");
  EXPECT_THAT(page, HasSubstr("| `reelway_test_requests_total` | counter | Requests answered. |\n"));
  EXPECT_THAT(page, HasSubstr("| `reelway_test_memory_bytes` | gauge | Memory in use. |\n"));
  EXPECT_THAT(page, HasSubstr("| `reelway_test_duration_seconds` | histogram | Time to the last byte. |\n"));
}

}  // namespace
}  // namespace reelway::telemetry
