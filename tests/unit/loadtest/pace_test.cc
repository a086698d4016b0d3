#include "loadtest/pace.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "loadtest/url.h"
#include "tests/unit/loadtest/scripted_server.h"

// The number of exchanges that fall due follows from the options alone, so the tests count them and never measure.

namespace reelway::loadtest {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ring::Ring> make_ring() {
  auto ring = ring::Ring::create({.entries = 64, .receive_buffers = 2, .receive_buffer_bytes = 4096});
  EXPECT_TRUE(ring.ok());
  return std::move(ring).value();
}

Result<PaceReport> try_pace(const std::vector<std::string>& urls, const PaceOptions& options) {
  const auto list = build_requests(urls, {});
  EXPECT_TRUE(list.ok());
  const auto ring = make_ring();
  return run_pace(*ring, *list, options);
}

PaceReport pace(const std::vector<std::string>& urls, const PaceOptions& options) {
  auto report = try_pace(urls, options);
  EXPECT_TRUE(report.ok()) << describe(report.error());
  return std::move(report).value();
}

std::uint64_t count(const PaceReport& report, Failure failure) {
  return report.outcomes.failures[static_cast<std::size_t>(failure)];
}

std::vector<in_addr> sources(const std::vector<std::string>& texts) {
  std::vector<in_addr> addresses;
  for (const std::string& text : texts) addresses.push_back(parse_source(text).value());
  return addresses;
}

// Answers 200 and counts the requests for each target.
class CountingServer {
 public:
  std::string url(const std::string& target) const { return server_.url(target); }
  int connections() const { return server_.connections(); }
  std::map<std::string, int> peers() const { return server_.peers(); }
  std::map<std::string, int> targets() const {
    const std::scoped_lock lock(mutex_);
    return targets_;
  }

 private:
  std::string answer(const std::string& head) {
    const std::scoped_lock lock(mutex_);
    ++targets_[head.substr(4, head.find(' ', 4) - 4)];
    return ok_response("abc");
  }

  mutable std::mutex mutex_;
  std::map<std::string, int> targets_;
  ScriptedServer server_{[this](const std::string& head) { return answer(head); }};
};

TEST(Pace, EveryConnectionAsksOnceInEachInterval) {
  CountingServer server;
  const auto report = pace({server.url("/")}, {.connections = 4, .every = 5ms, .duration = 50ms});
  EXPECT_EQ(report.due, 40u);
  EXPECT_EQ(report.outcomes.requests, 40u) << report.outcomes.first_failure;
  EXPECT_EQ(report.outcomes.bytes, 120u);
  EXPECT_EQ(report.latency.count(), 40u);
  EXPECT_EQ(report.connections, 4u);
  EXPECT_EQ(report.reconnects, 0u);
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(server.connections(), 4);
}

TEST(Pace, ExchangesTakeTheUrlsInRotation) {
  CountingServer server;
  const auto report =
      pace({server.url("/a"), server.url("/b"), server.url("/c")}, {.connections = 2, .every = 4ms, .duration = 24ms});
  EXPECT_EQ(report.due, 12u);
  EXPECT_THAT(server.targets(),
              testing::ElementsAre(testing::Pair("/a", 4), testing::Pair("/b", 4), testing::Pair("/c", 4)));
}

TEST(Pace, WithOwnAConnectionKeepsToItsUrl) {
  CountingServer server;
  const auto report = pace({server.url("/a"), server.url("/b"), server.url("/never")},
                           {.connections = 2, .every = 4ms, .duration = 24ms, .own = true, .keep_log = true});
  EXPECT_THAT(server.targets(), testing::ElementsAre(testing::Pair("/a", 6), testing::Pair("/b", 6)));
  EXPECT_EQ(report.log.size(), 12u);
}

TEST(Pace, WithOwnMoreConnectionsThanUrlsShareThem) {
  CountingServer server;
  pace({server.url("/a"), server.url("/b")}, {.connections = 3, .every = 5ms, .duration = 10ms, .own = true});
  EXPECT_THAT(server.targets(), testing::ElementsAre(testing::Pair("/a", 4), testing::Pair("/b", 2)));
}

// The first answer is held back until the other connection asks for the third time. By then two more rounds of the
// first one have fallen due, the earlier of them an interval before.
TEST(Pace, WaitingForTheServerCountsAsLatency) {
  constexpr auto kEvery = 10ms;
  std::mutex mutex;
  std::condition_variable changed;
  int others = 0;
  bool first = true;
  ScriptedServer server([&](const std::string& head) {
    std::unique_lock lock(mutex);
    if (head.find("/held") == head.npos) {
      ++others;
      changed.notify_all();
    } else if (std::exchange(first, false)) {
      changed.wait(lock, [&] { return others >= 3; });
    }
    return ok_response("x");
  });
  const auto report = pace({server.url("/held"), server.url("/other")},
                           {.connections = 2, .every = kEvery, .duration = 5 * kEvery, .own = true, .keep_log = true});
  EXPECT_EQ(report.outcomes.requests, 10u) << report.outcomes.first_failure;
  EXPECT_GE(report.late, 2u);
  EXPECT_EQ(report.not_begun, 0u);
  const auto second = std::find_if(report.log.begin(), report.log.end(),
                                   [&](const auto& entry) { return entry.url == 0 && entry.due == kEvery; });
  ASSERT_NE(second, report.log.end());
  EXPECT_GE(second->first_byte - second->due, kEvery);
  EXPECT_GE(report.latency.max(), 2 * kEvery);
}

TEST(Pace, AConnectionThatTheServerClosesIsOpenedAnew) {
  ScriptedServer server([](const std::string&) { return ok_response("x", "Connection: close\r\n"); });
  const auto report = pace({server.url("/")}, {.connections = 2, .every = 5ms, .duration = 25ms});
  EXPECT_EQ(report.outcomes.requests, 10u) << report.outcomes.first_failure;
  EXPECT_EQ(report.reconnects, 10u);
  EXPECT_GE(server.connections(), 10);
  EXPECT_TRUE(report.whole());
}

TEST(Pace, StatusZeroExpectsAny) {
  std::atomic<int> asked{0};
  ScriptedServer server([&](const std::string&) {
    return ++asked % 2 == 0 ? ok_response("x") : std::string("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  });
  const PaceOptions any{.connections = 1, .every = 2ms, .duration = 8ms, .expected_status = 0};
  const auto report = pace({server.url("/")}, any);
  EXPECT_EQ(report.outcomes.requests, 4u);
  EXPECT_THAT(report.outcomes.statuses, testing::ElementsAre(testing::Pair(200, 2), testing::Pair(403, 2)));
  const auto strict = pace({server.url("/")}, {.connections = 1, .every = 2ms, .duration = 8ms});
  EXPECT_EQ(count(strict, Failure::status), 2u);
  EXPECT_FALSE(strict.whole());
}

TEST(Pace, ConnectionsComeFromTheSourcesInRotation) {
  CountingServer server;
  const auto report =
      pace({server.url("/")},
           {.connections = 5, .every = 5ms, .duration = 5ms, .sources = sources({"127.0.0.2", "127.0.0.3"})});
  EXPECT_EQ(report.outcomes.requests, 5u) << report.outcomes.first_failure;
  EXPECT_THAT(server.peers(), testing::ElementsAre(testing::Pair("127.0.0.2", 3), testing::Pair("127.0.0.3", 2)));
}

TEST(Pace, AForeignSourceIsOneClearError) {
  CountingServer server;
  const auto report = try_pace({server.url("/")}, {.connections = 2, .sources = sources({"192.0.2.1"})});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::upstream_unreachable);
  EXPECT_THAT(report.error().detail, testing::HasSubstr("bind: Cannot assign requested address"));
}

TEST(Pace, ASourceIsAnIpv4Address) {
  for (const char* text : {"", "localhost", "127.0.0", "::1", "127.0.0.2 "}) {
    EXPECT_EQ(parse_source(text).error().code, ErrorCode::usage) << text;
  }
}

TEST(Pace, ASilentPortIsOneClearError) {
  std::string url;
  {
    CountingServer gone;
    url = gone.url("/");
  }
  const auto report = try_pace({url}, {.connections = 2, .duration = 1h});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::upstream_unreachable);
  EXPECT_THAT(report.error().detail, testing::HasSubstr("Connection refused"));
}

// Each answer costs the whole timeout, so the plan cannot be kept; nothing of it is lost from the report.
TEST(Pace, WhatIsDueIsAnsweredFailedOrGivenUp) {
  ScriptedServer server(
      [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"); });
  const auto report = pace({server.url("/")}, {.connections = 1, .every = 1ms, .duration = 30ms, .timeout = 20ms});
  EXPECT_EQ(report.due, 30u);
  EXPECT_EQ(count(report, Failure::timeout) + report.not_begun, 30u);
  EXPECT_GE(report.not_begun, 1u);
  EXPECT_FALSE(report.whole());
}

TEST(Pace, ALogThatWouldNotFitIsRefused) {
  CountingServer server;
  const auto report = try_pace({server.url("/")}, {.connections = 100, .every = 1us, .duration = 1s, .keep_log = true});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::usage);
}

TEST(Pace, TheLogHasALineForEachExchange) {
  CountingServer server;
  const auto report =
      pace({server.url("/a"), server.url("/b")}, {.connections = 1, .every = 5ms, .duration = 10ms, .keep_log = true});
  const std::string path = testing::TempDir() + "pace_test_" + std::to_string(::getpid());
  {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_TRUE(report.write_log(fd.get(), path).ok());
  }
  std::ifstream file(path);
  std::string line;
  double former_due = 0;
  for (std::uint32_t url = 0; url < 2; ++url) {
    ASSERT_TRUE(std::getline(file, line));
    std::istringstream fields(line);
    std::uint32_t index = 99;
    double due = 0, first_byte = 0, end = 0;
    int status = 0, bytes = 0;
    fields >> index >> due >> first_byte >> end >> status >> bytes;
    EXPECT_EQ(index, url) << line;
    EXPECT_LE(due, first_byte) << line;
    EXPECT_LE(first_byte, end) << line;
    EXPECT_EQ(status, 200) << line;
    EXPECT_EQ(bytes, 3) << line;
    const double by_plan = url == 0 ? due : former_due + 5;
    EXPECT_NEAR(due, by_plan, 0.01) << line;
    former_due = due;
  }
  EXPECT_FALSE(std::getline(file, line));
  std::filesystem::remove(path);
}

TEST(Pace, AnExchangeWithoutAnAnswerIsInTheLog) {
  ScriptedServer server([](const std::string&) { return std::string(); });
  const auto report = pace({server.url("/")}, {.connections = 1, .every = 5ms, .duration = 5ms, .keep_log = true});
  EXPECT_EQ(count(report, Failure::closed), 1u);
  ASSERT_EQ(report.log.size(), 1u);
  EXPECT_EQ(report.log[0].status, 0);
  EXPECT_EQ(report.log[0].first_byte, 0ns);
}

TEST(Pace, TheReportIsJson) {
  CountingServer server;
  const auto report = pace({server.url("/")}, {.connections = 2, .every = 5ms, .duration = 5ms});
  const auto json = nlohmann::json::parse(report.json());
  EXPECT_EQ(json["due"], 2);
  EXPECT_EQ(json["requests"], 2);
  EXPECT_EQ(json["not_begun"], 0);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["errors_by_kind"]["timeout"], 0);
  EXPECT_EQ(json["statuses"]["200"], 2);
  EXPECT_GT(json["latency_ms"]["p99"], 0.0);
  EXPECT_GT(json["started_at_ms"], 1.6e12);
  EXPECT_THAT(report.text(), testing::HasSubstr("2 of 2 requests in"));
}

}  // namespace
}  // namespace reelway::loadtest
