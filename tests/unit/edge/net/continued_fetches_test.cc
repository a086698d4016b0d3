#include "edge/net/continued_fetches.h"

#include <gtest/gtest.h>

#include "edge/net/upstream_pool.h"
#include "tests/support/raw_origin.h"
#include "tests/unit/edge/net/upstream_call_under_test.h"

namespace reelway::edge {
namespace {

using testing::RawConnection;
using testing::RawOrigin;

// What each connection is asked, and what it answers before it closes.
class ContinuedFetchesTest : public ::testing::Test {
 protected:
  // The answers to the first, second, ... connection; each is closed after its answer.
  void answer_with(std::vector<std::string> answers) {
    origin_ = std::make_unique<RawOrigin>([this, all = std::move(answers)](int number, RawConnection& connection) {
      const std::string head = connection.read_head();
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(head);
      }
      const auto index = static_cast<std::size_t>(number) - 1;
      if (index < all.size()) connection.send(all[index]);
    });
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", origin_->port());
    options.name = "origin";
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
    fetches_ = std::make_unique<ContinuedFetches>(*pool_);
  }
  void TearDown() override {
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    ring_->abandon();
  }
  void run(CallUnderTest& call) {
    call.told = [this] { ring_->stop(); };
    fetches_->begin(call);
    ring_->run();
    call.told = nullptr;
  }
  std::string request(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return requests_.at(index);
  }

  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::unique_ptr<RawOrigin> origin_;
  SystemClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  std::unique_ptr<UpstreamPool> pool_;
  std::unique_ptr<ContinuedFetches> fetches_;
};

std::string whole(std::string_view body, std::size_t length = 10, std::string_view etag = "\"e\"") {
  return "HTTP/1.1 200 OK\r\nETag: " + std::string(etag) + "\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n" + std::string(body);
}

std::string part(std::string_view body, std::string_view range, std::size_t length, std::string_view fields = {}) {
  return "HTTP/1.1 206 Partial Content\r\nContent-Range: " + std::string(range) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(length) + "\r\n\r\n" + std::string(body);
}

TEST_F(ContinuedFetchesTest, TheRestIsAskedForFromTheByteReached) {
  answer_with({whole("0123"), part("45", "bytes 4-9/10", 6, "ETag: \"e\"\r\n"), part("6789", "bytes 6-9/10", 4)});
  CallUnderTest call("/a");
  call.text = "GET /a HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"old\"\r\nif-modified-since: x\r\nA: b\r\n\r\n";
  run(call);
  EXPECT_FALSE(call.error);
  EXPECT_EQ(call.body, "0123456789");
  EXPECT_EQ(call.heads, 1);
  EXPECT_EQ(request(0), call.text);
  EXPECT_EQ(request(1), "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\nRange: bytes=4-\r\nIf-Range: \"e\"\r\n\r\n");
  EXPECT_EQ(request(2), "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\nRange: bytes=6-\r\nIf-Range: \"e\"\r\n\r\n");
  EXPECT_EQ(fetches_->counters().begun, 2u);
  EXPECT_EQ(fetches_->counters().completed, 1u);
}

TEST_F(ContinuedFetchesTest, AnUpstreamWithoutRangesSendsItAgainAndTheFirstBytesAreDropped) {
  answer_with({whole("0123"), whole("01"), whole("0123456789")});
  CallUnderTest call("/a");
  run(call);
  EXPECT_FALSE(call.error);
  EXPECT_EQ(call.body, "0123456789");
}

TEST_F(ContinuedFetchesTest, AnythingButTheRestOfTheSameBytesIsRefused) {
  for (const std::string& other :
       {whole("abcdefghij", 10, "\"f\""), whole("0123456789a", 11), whole("0123456789", 10, "W/\"e\""),
        part("456789", "bytes 3-8/10", 6), part("456789", "bytes 4-9/11", 6), part("456789", "bytes 4-9/*", 6),
        part("45678", "bytes 4-8/10", 5), part("45678", "bytes 4-9/10", 5),
        part("456789", "bytes 4-9/10", 6, "ETag: \"f\"\r\n"),
        part("456789", "bytes 4-9/10", 6, "Content-Encoding: br\r\n"),
        std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 416 Range\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n")}) {
    if (pool_) TearDown();
    ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
    answer_with({whole("0123"), other});
    CallUnderTest call("/a");
    run(call);
    EXPECT_EQ(call.code(), ErrorCode::upstream_truncated) << other;
    EXPECT_EQ(call.body, "0123") << other;
    EXPECT_EQ(fetches_->counters().refused, 1u);
  }
}

TEST_F(ContinuedFetchesTest, WhatHasNoStrongValidatorOrNoLengthIsNotContinued) {
  for (const std::string& first :
       {whole("0123", 10, "W/\"e\""), whole("0123", 10, "e"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123"),
        std::string("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n"),
        std::string("HTTP/1.1 404 Not Found\r\nETag: \"e\"\r\nContent-Length: 10\r\n\r\n0123")}) {
    if (pool_) TearDown();
    ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
    answer_with({first, whole("0123456789")});
    CallUnderTest call("/a");
    run(call);
    EXPECT_EQ(call.code(), ErrorCode::upstream_truncated) << first;
    EXPECT_EQ(fetches_->counters().begun, 0u);
  }
}

TEST_F(ContinuedFetchesTest, BreaksAreBoundedInNumber) {
  answer_with({whole("0"), part("1", "bytes 1-9/10", 9), part("2", "bytes 2-9/10", 8), part("3", "bytes 3-9/10", 7),
               part("456789", "bytes 4-9/10", 6)});
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.code(), ErrorCode::upstream_truncated);
  EXPECT_EQ(call.body, "0123");
  EXPECT_EQ(fetches_->counters().begun, ContinuedFetches::kContinuationsMax);
}

TEST_F(ContinuedFetchesTest, AnUpstreamThatIsGoneFailsTheCallAsTheBreakDid) {
  answer_with({whole("0123")});
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.code(), ErrorCode::upstream_truncated);
  EXPECT_EQ(origin_->connections(), 2);
}

TEST_F(ContinuedFetchesTest, ACallMayStopInTheRest) {
  answer_with({whole("0123"), part("456789", "bytes 4-9/10", 6)});
  CallUnderTest call("/a");
  call.in_body = [&] {
    if (call.body.size() <= 4) return;
    call.refuse_body = true;
    ring_->stop();
  };
  fetches_->begin(call);
  ring_->run();
  EXPECT_FALSE(call.done);
}

}  // namespace
}  // namespace reelway::edge
