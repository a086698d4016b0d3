#include "loadtest/bench.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/unit/loadtest/scripted_server.h"

namespace reelway::loadtest {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ring::Ring> make_ring() {
  auto ring = ring::Ring::create({.entries = 64, .receive_buffers = 2, .receive_buffer_bytes = 4096});
  EXPECT_TRUE(ring.ok());
  return std::move(ring).value();
}

BenchReport bench(const std::vector<std::string>& urls, BenchOptions options) {
  const auto list = build_requests(urls, {});
  EXPECT_TRUE(list.ok());
  options.duration = 1h;
  const auto ring = make_ring();
  auto report = run_bench(*ring, *list, options);
  EXPECT_TRUE(report.ok()) << describe(report.error());
  return std::move(report).value();
}

std::uint64_t count(const BenchReport& report, Failure failure) {
  return report.outcomes.failures[static_cast<std::size_t>(failure)];
}

class BenchBodies : public testing::TestWithParam<BodyUse> {};

TEST_P(BenchBodies, CountsRequestsAndBytesOverKeptConnections) {
  const std::string small(100, 's');
  const std::string large(3'000'000, 'l');
  ScriptedServer server(
      [&](const std::string& head) { return ok_response(head.find("/large") != head.npos ? large : small); });
  const auto report = bench({server.url("/small"), server.url("/large")},
                            {.connections = 4, .requests_max = 40, .body_use = GetParam()});
  EXPECT_EQ(report.outcomes.requests, 40u);
  EXPECT_EQ(report.outcomes.failed(), 0u) << report.outcomes.first_failure;
  EXPECT_EQ(report.outcomes.bytes, 20 * (small.size() + large.size()));
  EXPECT_EQ(report.latency.count(), 40u);
  EXPECT_EQ(report.reconnects, 0u);
  EXPECT_EQ(server.connections(), 4);
  EXPECT_EQ(server.requests(), 40);
}

TEST_P(BenchBodies, AnEmptyBodyIsABody) {
  ScriptedServer server([](const std::string&) { return ok_response(""); });
  const auto report = bench({server.url("/")}, {.connections = 2, .requests_max = 10, .body_use = GetParam()});
  EXPECT_EQ(report.outcomes.requests, 10u);
  EXPECT_EQ(report.outcomes.bytes, 0u);
}

TEST_P(BenchBodies, AShortBodyIsALengthFailure) {
  ScriptedServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + std::string(10'000, 'x');
  });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 3, .body_use = GetParam()});
  EXPECT_EQ(report.outcomes.requests, 0u);
  EXPECT_EQ(count(report, Failure::length), 3u);
}

TEST_P(BenchBodies, MoreBytesThanAnnouncedAreALengthFailure) {
  ScriptedServer server([](const std::string&) { return ok_response("12345") + "67"; });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 1, .body_use = GetParam()});
  EXPECT_EQ(count(report, Failure::length), 1u);
}

TEST_P(BenchBodies, ChunkedAndInterimResponsesAreUnderstood) {
  ScriptedServer server([](const std::string&) {
    return std::string(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 5, .body_use = GetParam()});
  EXPECT_EQ(report.outcomes.requests, 5u) << report.outcomes.first_failure;
  EXPECT_EQ(report.outcomes.bytes, 25u);
}

INSTANTIATE_TEST_SUITE_P(Uses, BenchBodies, testing::Values(BodyUse::discard, BodyUse::count, BodyUse::checksum));

TEST(Bench, AnotherStatusIsAnErrorUnlessExpected) {
  ScriptedServer server(
      [](const std::string&) { return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"); });
  const auto refused = bench({server.url("/")}, {.connections = 1, .requests_max = 4});
  EXPECT_EQ(count(refused, Failure::status), 4u);
  EXPECT_EQ(refused.outcomes.first_failure, "status 404");
  EXPECT_EQ(refused.outcomes.statuses.at(404), 4u);
  const auto expected = bench({server.url("/")}, {.connections = 1, .requests_max = 4, .expected_status = 404});
  EXPECT_EQ(expected.outcomes.requests, 4u);
}

TEST(Bench, ReconnectsWhenTheServerCloses) {
  ScriptedServer server([](const std::string&) { return ok_response("x", "Connection: close\r\n"); });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 20});
  EXPECT_EQ(report.outcomes.requests, 20u);
  EXPECT_EQ(server.connections(), 20);
  EXPECT_EQ(report.reconnects, 19u);
}

TEST(Bench, AConnectionClosedWithoutAnAnswerIsCounted) {
  ScriptedServer server([](const std::string&) { return std::string(); });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 3});
  EXPECT_EQ(count(report, Failure::closed), 3u);
}

TEST(Bench, AMalformedAnswerIsCounted) {
  ScriptedServer server([](const std::string&) { return std::string("SMTP ready\r\n\r\n"); });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 2});
  EXPECT_EQ(count(report, Failure::malformed), 2u);
}

TEST(Bench, AnAnswerThatDoesNotEndTimesOut) {
  ScriptedServer server(
      [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"); });
  const auto report = bench({server.url("/")}, {.connections = 3, .requests_max = 3, .timeout = 20ms});
  EXPECT_EQ(count(report, Failure::timeout), 3u);
}

TEST(Bench, TheDeadlineEndsTheRunWithWholeExchanges) {
  ScriptedServer server([](const std::string&) { return ok_response(std::string(1000, 'x')); });
  const auto list = build_requests({server.url("/")}, {});
  const auto ring = make_ring();
  const auto report = run_bench(*ring, *list, {.connections = 3, .duration = 30ms});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->outcomes.failed(), 0u);
  EXPECT_EQ(report->outcomes.bytes, report->outcomes.requests * 1000);
}

TEST(Bench, ASilentPortIsOneClearError) {
  std::string url;
  {
    ScriptedServer gone([](const std::string&) { return std::string(); });
    url = gone.url("/");
  }
  const auto list = build_requests({url}, {});
  const auto ring = make_ring();
  const auto report = run_bench(*ring, *list, {.connections = 2, .duration = 20ms});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::upstream_unreachable);
  EXPECT_THAT(report.error().detail, testing::HasSubstr("Connection refused"));
}

TEST(Bench, TheReportIsJson) {
  ScriptedServer server([](const std::string&) { return ok_response("abc"); });
  const auto report = bench({server.url("/")}, {.connections = 1, .requests_max = 2});
  const auto json = nlohmann::json::parse(report.json());
  EXPECT_EQ(json["requests"], 2);
  EXPECT_EQ(json["bytes"], 6);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["statuses"]["200"], 2);
  EXPECT_GT(json["latency_ms"]["p50"], 0.0);
  EXPECT_THAT(report.text(), testing::HasSubstr("2 requests in"));
}

}  // namespace
}  // namespace reelway::loadtest
