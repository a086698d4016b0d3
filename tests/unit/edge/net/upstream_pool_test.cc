#include "edge/net/upstream_pool.h"

#include <gtest/gtest.h>

#include "tests/support/fake_origin.h"
#include "tests/unit/edge/net/upstream_call_under_test.h"

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::Script;

using Call = CallUnderTest;

class UpstreamPoolTest : public ::testing::Test {
 protected:
  void make(std::size_t connections_max = 8, std::size_t waiting_max = 8, std::uint16_t port = 0) {
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", port != 0 ? port : origin_.port());
    options.name = "origin";
    options.connections_max = connections_max;
    options.waiting_max = waiting_max;
    options.wait_max = std::chrono::milliseconds(100);
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
  }
  void TearDown() override {
    if (pool_ == nullptr) return;
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    ring_->abandon();
  }
  void run(std::vector<Call*> calls) {
    int open = static_cast<int>(calls.size());
    for (Call* call : calls) {
      call->told = [this, &open] {
        if (--open == 0) ring_->stop();
      };
    }
    for (Call* call : calls) pool_->begin(*call);
    ring_->run();
    for (Call* call : calls) call->told = nullptr;
  }

  FakeOrigin origin_;
  SystemClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  std::unique_ptr<UpstreamPool> pool_;
};

TEST_F(UpstreamPoolTest, ConnectionsAreKeptAndUsedAgain) {
  make();
  const std::string body(100'000, 'b');
  origin_.script("/a", {.body = body});
  for (int i = 0; i < 5; ++i) {
    Call call("/a");
    run({&call});
    EXPECT_EQ(call.status, 200);
    EXPECT_EQ(call.body, body);
  }
  EXPECT_EQ(pool_->counters().connects, 1u);
  EXPECT_EQ(pool_->counters().reuses, 4u);
}

TEST_F(UpstreamPoolTest, ChunkedEmptyAndBodilessAnswers) {
  make();
  origin_.script("/chunked", {.body = std::string(50'000, 'c'), .with_length = false});
  origin_.script("/empty", {});
  origin_.script("/304", {.status = 304});
  Call chunked("/chunked");
  Call empty("/empty");
  Call unchanged("/304");
  run({&chunked});
  run({&empty});
  run({&unchanged});
  EXPECT_EQ(chunked.body.size(), 50'000u);
  EXPECT_EQ(empty.code(), ErrorCode::usage);
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(pool_->counters().connects, 1u);
}

TEST_F(UpstreamPoolTest, MoreCallsThanConnectionsWaitTheirTurn) {
  make(2, 8);
  origin_.script("/a", {.body = std::string(10'000, 'b')});
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 10; ++i) all.push_back(calls.emplace_back(std::make_unique<Call>("/a")).get());
  run(all);
  for (Call* call : all) EXPECT_EQ(call->body.size(), 10'000u);
  EXPECT_EQ(pool_->counters().connects, 2u);
  EXPECT_EQ(pool_->counters().waits, 8u);
}

TEST_F(UpstreamPoolTest, TheQueueIsBoundedInLengthAndTime) {
  make(1, 1);
  const auto gate = std::make_shared<Latch>();
  origin_.script("/held", {.body = "x", .before_head = gate});
  Call held("/held");
  Call waits("/held");
  Call refused("/held");
  pool_->begin(held);
  pool_->begin(waits);
  pool_->begin(refused);
  EXPECT_EQ(refused.code(), ErrorCode::overloaded);
  waits.told = [this] { ring_->stop(); };
  ring_->run();
  EXPECT_EQ(waits.code(), ErrorCode::overloaded);
  EXPECT_FALSE(held.done);
  gate->open();
  held.told = [this] { ring_->stop(); };
  ring_->run();
  EXPECT_EQ(held.body, "x");
}

TEST_F(UpstreamPoolTest, NobodyListeningIsUnreachable) {
  UniqueFd unused(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(unused.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  make(8, 8, local_port(unused.get()));
  Call call("/a");
  run({&call});
  EXPECT_EQ(call.code(), ErrorCode::upstream_unreachable);
  EXPECT_NE(call.error->detail.find("origin: connect"), std::string::npos);
}

TEST_F(UpstreamPoolTest, ACallMayStopAtTheHeadOrInTheBody) {
  make();
  origin_.script("/a", {.body = std::string(100'000, 'b')});
  origin_.script("/b", {.body = "b"});
  Call at_head("/a");
  at_head.refuse_head = true;
  Call in_body("/a");
  in_body.refuse_body = true;
  pool_->begin(at_head);
  pool_->begin(in_body);
  Call after("/b");
  run({&after});
  EXPECT_EQ(after.body, "b");
  while (in_body.body.empty() || pool_->connections() > 1) {
    ring_->defer([this] { ring_->stop(); });
    ring_->run();
  }
  EXPECT_FALSE(at_head.done);
  EXPECT_FALSE(in_body.done);
  EXPECT_EQ(in_body.body.size(), 1000u);
}

TEST_F(UpstreamPoolTest, NoRoomForABodyFailsTheCall) {
  make();
  origin_.script("/a", {.body = "b"});
  Call call("/a");
  call.room_bytes = 0;
  run({&call});
  EXPECT_EQ(call.code(), ErrorCode::upstream_failed);
}

}  // namespace
}  // namespace reelway::edge
