#include "loadtest/fanout.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "common/base/crc32c.h"
#include "tests/unit/loadtest/scripted_server.h"

namespace reelway::loadtest {
namespace {

using namespace std::chrono_literals;

Result<FanoutReport> fanout(const std::string& url, FanoutOptions options) {
  const auto list = build_requests({url}, {});
  EXPECT_TRUE(list.ok());
  auto ring = ring::Ring::create({.entries = 64, .receive_buffers = 2, .receive_buffer_bytes = 4096});
  EXPECT_TRUE(ring.ok());
  return run_fanout(**ring, *list, options);
}

// Says yes once as many have come as it was told to wait for.
class Meeting {
 public:
  explicit Meeting(int size) : missing_(size) {}
  void meet() {
    std::unique_lock lock(mutex_);
    if (--missing_ == 0) all_here_.notify_all();
    all_here_.wait(lock, [this] { return missing_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  int missing_;
};

TEST(Fanout, AllAskAtOnceAndGetEqualBodies) {
  constexpr int kClients = 20;
  const std::string body(200'000, 'b');
  Meeting meeting(kClients);  // nobody is answered before everybody has asked
  ScriptedServer server([&](const std::string&) {
    meeting.meet();
    return ok_response(body, "Cache-Status: edge-1; hit\r\n");
  });
  const auto report = fanout(server.url("/"), {.clients = kClients});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->failed(), 0u);
  EXPECT_TRUE(report->equal_bodies());
  EXPECT_THAT(report->cache_statuses(), testing::ElementsAre(testing::Pair("edge-1; hit", kClients)));
  for (const auto& client : report->clients) {
    EXPECT_EQ(client.exchange.crc32c, crc32c(as_bytes(body)));
    EXPECT_LE(client.first_byte, client.end);
  }
  const auto json = nlohmann::json::parse(report->json());
  EXPECT_EQ(json["clients"].size(), static_cast<std::size_t>(kClients));
  EXPECT_EQ(json["equal_bodies"], true);
}

TEST(Fanout, DifferentBodiesAreSeen) {
  std::atomic<int> number{0};
  ScriptedServer server([&](const std::string&) { return ok_response(std::to_string(1000 + number++)); });
  const auto report = fanout(server.url("/"), {.clients = 3});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->failed(), 0u);
  EXPECT_FALSE(report->equal_bodies());
}

TEST(Fanout, OneFailureMakesThemUnequal) {
  std::atomic<int> number{0};
  ScriptedServer server([&](const std::string&) { return number++ == 1 ? std::string() : ok_response("x"); });
  const auto report = fanout(server.url("/"), {.clients = 3});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->failed(), 1u);
  EXPECT_FALSE(report->equal_bodies());
}

FanoutReport::Client client_with(std::chrono::nanoseconds first_byte, std::chrono::nanoseconds end) {
  FanoutReport::Client client;
  client.first_byte = first_byte;
  client.end = end;
  return client;
}

TEST(Fanout, TellsWhetherFirstBytesCameBeforeTheEnd) {
  FanoutReport report;
  report.clients = {client_with(1ms, 10ms), client_with(2ms, 9ms)};
  EXPECT_TRUE(report.first_bytes_before_any_end());
  EXPECT_TRUE(report.first_bytes_before_last_end());
  report.clients = {client_with(1ms, 10ms), client_with(9ms, 9ms)};
  EXPECT_FALSE(report.first_bytes_before_any_end());
  EXPECT_TRUE(report.first_bytes_before_last_end());
  report.clients = {client_with(1ms, 2ms), client_with(9ms, 9ms)};
  EXPECT_FALSE(report.first_bytes_before_last_end());
  report.clients = {client_with(0ms, 10ms), client_with(2ms, 10ms)};  // one without any byte
  EXPECT_FALSE(report.first_bytes_before_any_end());
  EXPECT_FALSE(report.first_bytes_before_last_end());
}

}  // namespace
}  // namespace reelway::loadtest
