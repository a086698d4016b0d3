#include <gtest/gtest.h>

#include <ostream>

#include "edge/net/upstream_pool.h"
#include "tests/support/fake_origin.h"
#include "tests/support/raw_origin.h"
#include "tests/unit/edge/net/upstream_call_under_test.h"

// Upstreams that send what is no answer: each ends the call with its code, and never with a whole body.

namespace reelway::edge {
namespace {

using testing::Latch;
using testing::RawConnection;
using testing::RawOrigin;

class HostileUpstreamTest : public ::testing::Test {
 protected:
  void listen(RawOrigin::ConnectionScript script) {
    origin_ = std::make_unique<RawOrigin>(std::move(script));
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", origin_->port());
    options.name = "origin";
    options.timeouts = timeouts_;
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
  }
  void TearDown() override {
    if (pool_ == nullptr) return;
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    ring_->abandon();
  }
  void run(CallUnderTest& call) {
    call.told = [this] { ring_->stop(); };
    pool_->begin(call);
    ring_->run();
    call.told = nullptr;
  }
  void turn_until(const std::function<bool()>& reached) {
    while (!reached()) {
      ring_->defer([this] { ring_->stop(); });
      ring_->run();
    }
  }

  UpstreamTimeouts timeouts_;
  UniqueFd spare_descriptor_{::dup(STDERR_FILENO)};
  std::unique_ptr<RawOrigin> origin_;
  SystemClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  std::unique_ptr<UpstreamPool> pool_;
};

enum class Ending : std::uint8_t { stays, closes, resets };

struct Hostile {
  const char* name;
  std::string answer;
  Ending ending;
  ErrorCode code;
};

void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

class HostileAnswerTest : public HostileUpstreamTest, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostileAnswerTest, FailsTheCallAndTheConnection) {
  const Hostile& hostile = GetParam();
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(hostile.answer);
    if (hostile.ending == Ending::resets) connection.reset();
    if (hostile.ending == Ending::stays) connection.wait_for_close();
  });
  CallUnderTest call("/a");
  run(call);
  ASSERT_TRUE(call.error.has_value()) << call.status << " " << call.body;
  EXPECT_EQ(error_info(call.code()).name, error_info(hostile.code).name) << call.error->detail;
  EXPECT_EQ(origin_->connections(), 1);
  turn_until([this] { return pool_->connections() == 0; });
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

constexpr auto kFailed = ErrorCode::upstream_failed;
constexpr auto kTruncated = ErrorCode::upstream_truncated;
const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Answers, HostileAnswerTest,
    ::testing::Values(
        Hostile{"Garbage", "\x16\x03\x01garbage\r\n\r\n", Ending::stays, kFailed},
        Hostile{"NulBytes", std::string(100, '\0'), Ending::stays, kFailed},
        Hostile{"OtherProtocol", "ICY 200 OK\r\n\r\nmusic", Ending::stays, kFailed},
        Hostile{"Http2Version", "HTTP/2.0 200 OK\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"StatusOfTwoDigits", "HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"StatusOfFourDigits", "HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"StatusOver599", "HTTP/1.1 999 X\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"BareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 1\n\na", Ending::closes, kFailed},
        Hostile{"FoldedLine", kOk + "A: b\r\n c\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"NulInAField", kOk + std::string("A: b\0c\r\n", 8) + "Content-Length: 1\r\n\r\na", Ending::stays,
                kFailed},
        Hostile{"ReturnInAField", kOk + "A: b\rSet-Cookie: c\r\nContent-Length: 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"BlankBeforeColon", kOk + "Content-Length : 1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"TwoLengths", kOk + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", Ending::stays, kFailed},
        Hostile{"TwoLengthsInOneField", kOk + "Content-Length: 1, 2\r\n\r\nab", Ending::stays, kFailed},
        Hostile{"LengthAndChunks", kOk + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                Ending::stays, kFailed},
        Hostile{"ChunksAndLength", kOk + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n",
                Ending::stays, kFailed},
        Hostile{"TwoTransferEncodings",
                kOk + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n1\r\na\r\n0\r\n\r\n",
                Ending::stays, kFailed},
        Hostile{"HiddenTransferEncoding", kOk + "Transfer-Encoding: xchunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                Ending::closes, kFailed},
        Hostile{"NegativeLength", kOk + "Content-Length: -1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"SignedLength", kOk + "Content-Length: +1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"HexLength", kOk + "Content-Length: 0x1\r\n\r\na", Ending::stays, kFailed},
        Hostile{"EmptyLength", kOk + "Content-Length: \r\n\r\na", Ending::closes, kFailed},
        Hostile{"LengthOver64Bits", kOk + "Content-Length: 18446744073709551617\r\n\r\na", Ending::stays, kFailed},
        Hostile{"LengthTooShort", kOk + "Content-Length: 2\r\n\r\nabc", Ending::stays, kFailed},
        Hostile{"LengthTooShortAndClose", kOk + "Connection: close\r\nContent-Length: 2\r\n\r\nabc", Ending::closes,
                kFailed},
        Hostile{"LengthTooLong", kOk + "Content-Length: 4\r\n\r\nabc", Ending::closes, kTruncated},
        Hostile{"ResetInTheBody", kOk + "Content-Length: 4\r\n\r\nabc", Ending::resets, kTruncated},
        Hostile{"ResetWhereACloseEndsTheBody", kOk + "\r\nabc", Ending::resets, kTruncated},
        Hostile{"ResetInTheHead", kOk + "Content-", Ending::resets, kTruncated},
        Hostile{"ClosedInTheHead", kOk + "Content-", Ending::closes, kTruncated},
        Hostile{"ClosedAtOnce", "", Ending::closes, ErrorCode::upstream_unreachable},
        Hostile{"ResetAtOnce", "", Ending::resets, ErrorCode::upstream_unreachable},
        Hostile{"CutChunk", kChunked + "5\r\nab", Ending::closes, kTruncated},
        Hostile{"CutBetweenChunks", kChunked + "2\r\nab\r\n", Ending::closes, kTruncated},
        Hostile{"CutBeforeTheLastLine", kChunked + "2\r\nab\r\n0\r\n", Ending::closes, kTruncated},
        Hostile{"ChunkLongerThanSaid", kChunked + "2\r\nabcd\r\n0\r\n\r\n", Ending::stays, kFailed},
        Hostile{"ChunkSizeNotHex", kChunked + "g\r\nab\r\n0\r\n\r\n", Ending::stays, kFailed},
        Hostile{"ChunkSizeOver64Bits", kChunked + "10000000000000001\r\nab\r\n0\r\n\r\n", Ending::stays, kFailed},
        Hostile{"NegativeChunk", kChunked + "-2\r\nab\r\n0\r\n\r\n", Ending::stays, kFailed},
        Hostile{"ChunksWithBareLineFeeds", kChunked + "2\nab\n0\n\n", Ending::stays, kFailed},
        Hostile{"EndlessChunkExtension", kChunked + "2;a=" + std::string(40'000, 'x'), Ending::stays, kFailed},
        Hostile{"EndlessTrailers", kChunked + "2\r\nab\r\n0\r\n" + repeated("A: bbbbbbbbbbbbbbbb\r\n", 3000),
                Ending::stays, kFailed},
        Hostile{"EndlessField", kOk + "A: " + std::string(40'000, 'x'), Ending::stays, kFailed},
        Hostile{"EndlessFields", kOk + repeated("A: b\r\n", 3000), Ending::stays, kFailed},
        Hostile{"EndlessReason", "HTTP/1.1 200 " + std::string(40'000, 'x'), Ending::stays, kFailed},
        Hostile{"InterimFlood", repeated("HTTP/1.1 100 Continue\r\n\r\n", 1000), Ending::stays, kFailed},
        Hostile{"EarlyHintsFlood", repeated("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 17), Ending::stays,
                kFailed},
        Hostile{"UnaskedUpgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz",
                Ending::stays, kFailed},
        Hostile{"BodyAfter304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", Ending::stays, kFailed},
        Hostile{"ChunksAfter304", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                Ending::stays, kFailed},
        Hostile{"BodyAfter204", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", Ending::stays, kFailed},
        Hostile{"TwoAnswers", repeated(kOk + "Content-Length: 1\r\n\r\na", 2), Ending::stays, kFailed},
        Hostile{"TwoAnswersInChunks", repeated(kChunked + "1\r\na\r\n0\r\n\r\n", 2), Ending::stays, kFailed},
        Hostile{"TextLabelledGzip", kOk + "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n#EXTM3U\n", Ending::stays,
                kFailed},
        Hostile{"GzipThatEndsInItsFirstBytes", kOk + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
                Ending::stays, kFailed}),
    [](const ::testing::TestParamInfo<Hostile>& one) { return std::string(one.param.name); });

TEST_F(HostileUpstreamTest, ABodyOfTheCallsOwnMemoryIsCheckedToItsLabelToo) {
  const auto second = std::make_shared<Latch>();
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(kOk + "Content-Encoding: gzip\r\nContent-Length: 2000\r\n\r\n\x1f");
    second->wait();
    connection.send(std::string(1999, 'x'));
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  call.in_body = [&] { second->open(); };
  run(call);
  EXPECT_EQ(call.code(), kFailed);
  EXPECT_EQ(call.body.size(), 1u);
}

TEST_F(HostileUpstreamTest, APartOfAGzippedBodyBeginsAnywhere) {
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 206 Partial\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.body, "abc");
  EXPECT_FALSE(call.error);
}

TEST_F(HostileUpstreamTest, AnAnswerBeforeTheRequestIsNoAnswer) {
  const auto sent = std::make_shared<Latch>();
  listen([&](int, RawConnection& connection) {
    connection.send(kOk + "Content-Length: 4\r\n\r\nevil");
    sent->open();
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  call.told = [this] { ring_->stop(); };
  pool_->begin(call);
  // A full submission queue goes to the kernel at once: the connection comes about, and the answer too, before the
  // pool hears of either.
  for (int i = 0; i < 65; ++i) ring_->close(::dup(spare_descriptor_.get()));
  sent->wait();
  ring_->run();
  EXPECT_EQ(call.code(), kFailed);
  EXPECT_EQ(call.heads, 0);
}

// The answer that an upstream sends behind the one that was asked for must never become the answer of the next request.
TEST_F(HostileUpstreamTest, AnAnswerLeftOnAKeptConnectionIsNeverTheNextOnes) {
  for (const bool waits : {false, true}) {
    const auto first_taken = std::make_shared<Latch>();
    const auto evil_sent = std::make_shared<Latch>();
    pool_.reset();
    listen([&](int number, RawConnection& connection) {
      while (!connection.read_head().empty()) {
        connection.send(kOk + "Content-Length: 4\r\n\r\ngood");
        if (number > 1) continue;
        first_taken->wait();
        connection.send(kOk + "Content-Length: 4\r\n\r\nevil");
        evil_sent->open();
      }
    });
    CallUnderTest first("/a");
    run(first);
    EXPECT_EQ(first.body, "good");
    first_taken->open();
    evil_sent->wait();
    // Either the bytes are met while the connection is idle, or by the look before it is used again.
    if (waits) turn_until([this] { return pool_->connections() == 0; });
    CallUnderTest second("/b");
    run(second);
    EXPECT_EQ(second.body, "good");
    EXPECT_EQ(second.heads, 1);
    EXPECT_EQ(origin_->connections(), 2);
    pool_->close([this] { ring_->stop(); });
    ring_->run();
  }
  pool_.reset();
}

TEST_F(HostileUpstreamTest, BytesBehindALongBodyAreMetBeforeTheCallEnds) {
  const auto more = std::make_shared<Latch>();
  const auto sent = std::make_shared<Latch>();
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(kOk + "Content-Length: 100\r\n\r\n" + std::string(50, 'a'));
    more->wait();
    connection.send(std::string(51, 'a'));
    sent->open();
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  call.in_body = [&] {
    more->open();
    sent->wait();
  };
  run(call);
  EXPECT_EQ(call.code(), kFailed);
  EXPECT_EQ(call.body.size(), 100u);
}

TEST_F(HostileUpstreamTest, ARequestThatChangesThingsIsNotSentTwice) {
  listen([&](int number, RawConnection& connection) {
    connection.read_head();
    connection.send(kOk + "Content-Length: 0\r\n\r\n");
    if (number > 1) return connection.wait_for_close();
    connection.read_head();  // and closes without an answer
  });
  CallUnderTest first("/a");
  run(first);
  CallUnderTest post("/b", "POST");
  run(post);
  EXPECT_EQ(post.code(), ErrorCode::upstream_unreachable);
  EXPECT_EQ(origin_->connections(), 1);
  EXPECT_EQ(pool_->counters().repeats, 0u);
}

TEST_F(HostileUpstreamTest, ARestedConnectionsTimeoutAnswerIsNotTheRequests) {
  listen([&](int number, RawConnection& connection) {
    connection.read_head();
    connection.send(kOk + "Content-Length: 1\r\n\r\na");
    if (number > 1) return connection.wait_for_close();
    connection.read_head();
    connection.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  CallUnderTest first("/a");
  run(first);
  CallUnderTest second("/b");
  run(second);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(pool_->counters().repeats, 1u);
}

TEST_F(HostileUpstreamTest, InterimResponsesWithinReasonAreSkipped) {
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(repeated("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 16) + kOk +
                    "Content-Length: 1\r\n\r\na");
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.heads, 1);
}

TEST_F(HostileUpstreamTest, AnAnswerToHeadHasNoBody) {
  listen([&](int, RawConnection& connection) {
    while (!connection.read_head().empty()) connection.send(kOk + "Content-Length: 1000\r\n\r\n");
  });
  for (int i = 0; i < 2; ++i) {
    CallUnderTest call("/a", "HEAD");
    run(call);
    EXPECT_EQ(call.status, 200);
    EXPECT_FALSE(call.error);
  }
  EXPECT_EQ(pool_->counters().connects, 1u);
}

TEST_F(HostileUpstreamTest, A204ThatAnnouncesABodyEndsItsConnection) {
  listen([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n");
    connection.wait_for_close();
  });
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.status, 204);
  EXPECT_FALSE(call.error);
  turn_until([this] { return pool_->connections() == 0; });
}

TEST_F(HostileUpstreamTest, SilenceAndTricklesAreBoundedInTime) {
  timeouts_.first_byte = std::chrono::milliseconds(50);
  timeouts_.idle = std::chrono::milliseconds(50);
  timeouts_.progress_bytes_min = 1000;
  listen([&](int number, RawConnection& connection) {
    connection.read_head();
    if (number == 1) return connection.wait_for_close();
    connection.send(kOk + "Content-Length: 1000000\r\n\r\n");
    if (number == 2) return connection.wait_for_close();
    while (connection.send("x")) ::usleep(1000);  // a byte each millisecond: never silent for long
  });
  CallUnderTest silent("/a");
  run(silent);
  EXPECT_EQ(silent.code(), ErrorCode::timed_out);
  CallUnderTest stops("/b");
  run(stops);
  EXPECT_EQ(stops.code(), kTruncated);
  CallUnderTest trickles("/c");
  run(trickles);
  EXPECT_EQ(trickles.code(), kTruncated);
  EXPECT_LT(trickles.body.size(), 1000u);
}

}  // namespace
}  // namespace reelway::edge
