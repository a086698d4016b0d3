#include "edge/net/upstream_group.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/fake_origin.h"
#include "tests/support/raw_origin.h"
#include "tests/unit/edge/net/upstream_call_under_test.h"

namespace reelway::edge {
namespace {

using testing::Latch;
using testing::RawConnection;
using testing::RawOrigin;

class MovedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return std::chrono::steady_clock::now() + moved_; }
  Wall wall() const override { return {}; }
  void advance(std::chrono::milliseconds by) { moved_ += by; }

 private:
  std::chrono::milliseconds moved_{0};
};

class NoChance final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), 0); }
};

std::string answer(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

// Answers every request with its name.
RawOrigin::ConnectionScript named(std::string name, int status = 200) {
  return [text = answer(status, name)](int, RawConnection& connection) {
    while (!connection.read_head().empty() && connection.send(text)) {
    }
  };
}

// A port of this machine where nobody listens.
class DeadPort {
 public:
  DeadPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  std::uint16_t port() const { return local_port(socket_.get()); }

 private:
  UniqueFd socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

class UpstreamGroupTest : public ::testing::Test {
 protected:
  UpstreamHost& add(std::uint16_t port, std::uint32_t priority = 1) {
    UpstreamUrl url{.tls = false, .host = "127.0.0.1", .port = port, .priority = priority};
    hosts_.push_back(std::make_unique<UpstreamHost>(*ring_, workers_, url));
    EXPECT_TRUE(hosts_.back()->look_up().ok());
    return *hosts_.back();
  }
  // A name with any number of addresses, which the test may change.
  UpstreamHost& add_name(std::shared_ptr<std::vector<std::uint16_t>> ports) {
    UpstreamUrl url{.tls = false, .host = "origin.example", .port = 80, .priority = 1};
    hosts_.push_back(std::make_unique<UpstreamHost>(
        *ring_, workers_, url, nullptr,
        [ports](const std::string&, std::uint16_t) -> Result<std::vector<SocketAddress>> {
          std::vector<SocketAddress> found;
          for (const std::uint16_t port : *ports) found.push_back(*resolve("127.0.0.1", port));
          if (found.empty()) return Error{ErrorCode::config_value_invalid, Side::self, true, "no address"};
          return found;
        }));
    return *hosts_.back();
  }
  void make(UpstreamGroupOptions options = {}) {
    std::vector<UpstreamHost*> hosts;
    for (const auto& host : hosts_) hosts.push_back(host.get());
    group_ = std::make_unique<UpstreamGroup>(*ring_, clock_, random_, options, hosts);
  }
  void TearDown() override {
    if (group_ == nullptr) return;
    group_->close([this] { ring_->stop(); });
    ring_->run();
    ring_->abandon();
    group_.reset();
  }
  void run(const std::vector<CallUnderTest*>& calls) {
    std::size_t open = calls.size();
    for (CallUnderTest* call : calls) {
      call->told = [this, &open] {
        if (--open == 0) ring_->stop();
      };
    }
    for (CallUnderTest* call : calls) group_->begin(*call);
    ring_->run();
    for (CallUnderTest* call : calls) call->told = nullptr;
  }
  // The body, or the name of the error.
  std::string get(const std::string& method = "GET") {
    CallUnderTest call("/a", method);
    run({&call});
    return call.error ? std::string(error_info(call.code()).name) : call.body;
  }
  UpstreamReport report(std::size_t index) { return group_->report()[index]; }

  MovedClock clock_;
  NoChance random_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  ring::SideWorkers workers_{*ring_, 1, 8, "test-names"};
  std::vector<std::unique_ptr<UpstreamHost>> hosts_;
  std::unique_ptr<UpstreamGroup> group_;
};

TEST_F(UpstreamGroupTest, ThoseOfOnePriorityAreAskedInTurn) {
  RawOrigin a(named("a"));
  RawOrigin b(named("b"));
  RawOrigin later(named("later"));
  add(later.port(), 2);
  add(a.port());
  add(b.port());
  make();
  const std::string first = get();
  const std::string second = get();
  EXPECT_NE(first, second);
  EXPECT_EQ(get(), first);
  EXPECT_EQ(get(), second);
  EXPECT_EQ(later.connections(), 0);
}

TEST_F(UpstreamGroupTest, OrAlwaysTheFirst) {
  RawOrigin a(named("a"));
  RawOrigin b(named("b"));
  add(a.port());
  add(b.port());
  make({.pool = {}, .in_turn = false, .retry_gateway_errors = false, .waiting_max = 8, .health = {}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(), "a");
  EXPECT_EQ(b.connections(), 0);
}

TEST_F(UpstreamGroupTest, AFailureGoesToTheNextPriorityAndThenTheFailedOneRests) {
  DeadPort dead;
  RawOrigin b(named("b"));
  add(dead.port());
  add(b.port(), 2);
  make();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get(), "b");
  EXPECT_EQ(report(0).calls, 3u);
  EXPECT_EQ(report(0).failures, 3u);
  EXPECT_EQ(report(0).in_use, 0u);
  EXPECT_EQ(group_->counters().retries, 3u);
  // After its rest it is tried again, by one call, which is answered all the same.
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(get(), "b");
  EXPECT_EQ(get(), "b");
  EXPECT_EQ(report(0).calls, 4u);
  EXPECT_EQ(group_->counters().probes, 1u);
}

TEST_F(UpstreamGroupTest, AnUpstreamThatIsBackIsUsedAgain) {
  std::atomic<bool> works = false;
  RawOrigin a([&](int, RawConnection& connection) {
    while (!connection.read_head().empty()) {
      if (!works) return;
      connection.send(answer(200, "a"));
    }
  });
  RawOrigin b(named("b"));
  add(a.port());
  add(b.port(), 2);
  make();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(), "b");
  works = true;
  EXPECT_EQ(get(), "b");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(get(), "a");
  EXPECT_EQ(get(), "a");
  EXPECT_EQ(report(0).in_use, 1u);
}

TEST_F(UpstreamGroupTest, WhatMayNotBeRepeatedIsRetriedOnlyWhenItNeverLeft) {
  DeadPort dead;
  RawOrigin closes([](int, RawConnection& connection) { connection.read_head(); });
  RawOrigin b(named("b"));
  add(dead.port());
  add(closes.port(), 2);
  add(b.port(), 3);
  make();
  EXPECT_EQ(get("POST"), "upstream_unreachable");
  EXPECT_EQ(closes.connections(), 1);
  EXPECT_EQ(b.connections(), 0);
  EXPECT_EQ(get("GET"), "b");
  EXPECT_EQ(closes.connections(), 2);
}

TEST_F(UpstreamGroupTest, RetriesAreBounded) {
  std::vector<std::unique_ptr<RawOrigin>> origins;
  for (int i = 0; i < 5; ++i) {
    origins.push_back(std::make_unique<RawOrigin>([](int, RawConnection& connection) { connection.read_head(); }));
    add(origins.back()->port());
  }
  make();
  EXPECT_EQ(get(), "upstream_unreachable");
  EXPECT_EQ(group_->counters().retries, UpstreamGroup::kRetriesMax);
}

TEST_F(UpstreamGroupTest, GatewayErrorsGoElsewhereWhileThereIsAnyone) {
  RawOrigin a(named("a", 503));
  RawOrigin b(named("b", 502));
  add(a.port());
  add(b.port(), 2);
  make();
  CallUnderTest call("/a");
  run({&call});
  EXPECT_EQ(call.status, 502);
  EXPECT_EQ(call.body, "b");
  EXPECT_EQ(call.heads, 1);
  EXPECT_EQ(report(0).gateway_errors, 1u);
}

TEST_F(UpstreamGroupTest, ACutBodyIsNotRetriedHere) {
  RawOrigin a([](int, RawConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  });
  RawOrigin b(named("b"));
  add(a.port());
  add(b.port(), 2);
  make();
  CallUnderTest call("/a");
  run({&call});
  EXPECT_EQ(call.code(), ErrorCode::upstream_truncated);
  EXPECT_EQ(call.heads, 1);
  EXPECT_EQ(b.connections(), 0);
  EXPECT_EQ(report(0).failures, 1u);
}

TEST_F(UpstreamGroupTest, WhenAllAreDownOneCallTriesAndTheOthersWaitForIt) {
  const auto gate = std::make_shared<Latch>();
  RawOrigin a([&](int number, RawConnection& connection) {
    if (number <= 3) return;
    while (!connection.read_head().empty()) {
      gate->wait();
      connection.send(answer(200, "back"));
    }
  });
  add(a.port());
  make();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(), "upstream_unreachable");
  std::vector<std::unique_ptr<CallUnderTest>> calls;
  std::vector<CallUnderTest*> all;
  for (int i = 0; i < 20; ++i) all.push_back(calls.emplace_back(std::make_unique<CallUnderTest>("/a")).get());
  ring_->defer([&] {
    EXPECT_EQ(group_->waiting(), 19u);
    EXPECT_EQ(report(0).calls, 4u);
    gate->open();
  });
  run(all);
  for (const CallUnderTest* call : all) EXPECT_EQ(call->body, "back");
}

TEST_F(UpstreamGroupTest, ThoseWhoWaitedFailWithTheCallThatTried) {
  const auto gate = std::make_shared<Latch>();
  RawOrigin a([&](int number, RawConnection& connection) {
    if (number <= 3) return;
    connection.read_head();
    gate->wait();
  });
  add(a.port());
  make({.pool = {}, .in_turn = true, .retry_gateway_errors = true, .waiting_max = 2, .health = {}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(), "upstream_unreachable");
  CallUnderTest tries("/a");
  CallUnderTest waits("/a");
  CallUnderTest waits_too("/a");
  CallUnderTest one_too_many("/a");
  one_too_many.told = [&] { gate->open(); };
  std::vector<CallUnderTest*> all{&tries, &waits, &waits_too};
  ring_->defer([&] { group_->begin(one_too_many); });
  run(all);
  EXPECT_EQ(one_too_many.code(), ErrorCode::overloaded);
  for (const CallUnderTest* call : all) EXPECT_EQ(call->code(), ErrorCode::upstream_unreachable);
  EXPECT_EQ(a.connections(), 4);
}

TEST_F(UpstreamGroupTest, AllAddressesOfANameAreUsedAndANewLookUpReplacesThem) {
  RawOrigin a(named("a"));
  RawOrigin b(named("b"));
  RawOrigin c(named("c"));
  const auto ports = std::make_shared<std::vector<std::uint16_t>>(std::vector<std::uint16_t>{a.port(), b.port()});
  UpstreamHost& host = add_name(ports);
  ASSERT_TRUE(host.look_up().ok());
  make();
  EXPECT_NE(get(), get());
  *ports = {c.port(), b.port()};
  ASSERT_TRUE(host.look_up().ok());
  for (int i = 0; i < 6; ++i) EXPECT_NE(get(), "a");
  EXPECT_EQ(c.connections(), 1);
  EXPECT_EQ(b.connections(), 1);  // kept
  EXPECT_EQ(report(0).addresses, 2u);
  // A look-up that fails changes nothing.
  ports->clear();
  EXPECT_FALSE(host.look_up().ok());
  EXPECT_NE(get(), get());
}

TEST_F(UpstreamGroupTest, ANameWithoutAddressIsUnreachableUntilItHasOne) {
  RawOrigin a(named("a"));
  const auto ports = std::make_shared<std::vector<std::uint16_t>>();
  UpstreamHost& host = add_name(ports);
  EXPECT_FALSE(host.look_up().ok());
  make();
  EXPECT_EQ(get(), "upstream_unreachable");
  ports->push_back(a.port());
  ASSERT_TRUE(host.look_up().ok());
  EXPECT_EQ(get(), "a");
}

TEST_F(UpstreamGroupTest, ClosingFailsCallsThatWait) {
  RawOrigin a([&](int number, RawConnection& connection) {
    if (number > 3) connection.wait_for_close();
  });
  add(a.port());
  make();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(), "upstream_unreachable");
  CallUnderTest tries("/a");
  CallUnderTest waits("/a");
  group_->begin(tries);
  group_->begin(waits);
  bool closed = false;
  group_->close([&] {
    closed = true;
    ring_->stop();
  });
  ring_->run();
  EXPECT_TRUE(closed);
  EXPECT_EQ(tries.code(), ErrorCode::shutting_down);
  EXPECT_EQ(waits.code(), ErrorCode::shutting_down);
  CallUnderTest late("/a");
  group_->begin(late);
  EXPECT_EQ(late.code(), ErrorCode::shutting_down);
  ring_->abandon();
  group_.reset();
}

}  // namespace
}  // namespace reelway::edge
