#include <gtest/gtest.h>

#include <ostream>

#include "tests/unit/edge/request/edge_under_test.h"

// A whole edge before an origin that answers wrongly: viewers get a 502 with its code, all who asked at once get the
// same, nothing is kept, and the next good answer is served. How each fault of an answer is told is tested with the
// upstream pool.

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

struct WrongAnswer {
  const char* name;
  std::string raw;
  bool closes = false;
  bool resets = false;
  ErrorCode code = ErrorCode::upstream_failed;
  bool begun = false;  // its length is not known, so what came is passed on as it comes, and then cut
};

void PrintTo(const WrongAnswer& wrong, std::ostream* out) {
  *out << wrong.name;
}

class HostileOriginTest : public ::testing::TestWithParam<WrongAnswer> {
 protected:
  static constexpr const char* kPath = "/film/v1/a.m3u8";

  void SetUp() override { edge_.wait_until_ready(); }

  std::unique_ptr<PlainClient> ask() {
    auto client = std::make_unique<PlainClient>(edge_.port());
    client->send("GET /t/" + keys_.token("film") + kPath + " HTTP/1.1\r\nHost: e\r\n\r\n");
    return client;
  }

  TestClock clock_;
  FakeOrigin origin_;
  TestKeys keys_{origin_};
  TestRights rights_{origin_};
  reelway::origin::TemporaryFolder folder_;
  RunningEdge edge_{test_config(origin_, folder_.path()), clock_};
};

TEST_P(HostileOriginTest, IsAnErrorForAllWhoAskedAndIsNotKept) {
  constexpr int kClients = 10;
  const WrongAnswer& wrong = GetParam();
  const auto gate = std::make_shared<Latch>();
  Script script;
  script.raw = wrong.raw;
  script.before_head = gate;
  script.close_after = wrong.closes;
  script.reset_after = wrong.resets;
  origin_.script(kPath, script);
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(ask());
  while (!edge_.on_ring([](EdgeServer& server) {
    return server.store().counters().follows + server.fills().counters().fetches == kClients;
  })) {
    std::this_thread::yield();
  }
  gate->open();
  for (auto& client : clients) {
    const PlainResponse response = client->receive();
    if (wrong.begun) {
      EXPECT_EQ(response.status, 200);
      EXPECT_FALSE(response.whole);
      EXPECT_TRUE(client->reset());
      continue;
    }
    EXPECT_EQ(response.status, error_info(wrong.code).http_status);
    EXPECT_EQ(response.header("Reelway-Error"), error_info(wrong.code).name);
  }
  EXPECT_EQ(origin_.asked(kPath), 1);
  const auto counters = edge_.on_ring([](EdgeServer& server) { return server.store().counters(); });
  EXPECT_EQ(counters.memory_objects, 0u);

  origin_.script(kPath, {.body = "#EXTM3U\n"});
  EXPECT_EQ(ask()->receive().body, "#EXTM3U\n");
}

const std::string kHead = "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\n";

INSTANTIATE_TEST_SUITE_P(
    Answers, HostileOriginTest,
    ::testing::Values(
        WrongAnswer{"Garbage", "\x15\x03\x01 what is this?\r\n\r\n"},
        WrongAnswer{"TwoLengths", kHead + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        WrongAnswer{"LengthAndChunks",
                    kHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
        WrongAnswer{"LengthTooShort", kHead + "Content-Length: 3\r\n\r\nabcd"},
        WrongAnswer{.name = "LengthTooLong",
                    .raw = kHead + "Content-Length: 5\r\n\r\nabcd",
                    .closes = true,
                    .code = ErrorCode::upstream_truncated},
        WrongAnswer{.name = "CutChunk",
                    .raw = kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
                    .closes = true,
                    .begun = true},
        WrongAnswer{.name = "ResetInTheBody",
                    .raw = kHead + "Content-Length: 50\r\n\r\nabcd",
                    .resets = true,
                    .code = ErrorCode::upstream_truncated},
        WrongAnswer{.name = "ResetWhereACloseEndsTheBody", .raw = kHead + "\r\nabcd", .resets = true, .begun = true},
        WrongAnswer{"InterimFlood",
                    [] {
                      std::string flood;
                      for (int i = 0; i < 1000; ++i) flood += "HTTP/1.1 103 Early Hints\r\n\r\n";
                      return flood;
                    }()},
        WrongAnswer{"EndlessHead", kHead + "A: " + std::string(100'000, 'x')},
        WrongAnswer{"BodyAfter304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nabcd"},
        WrongAnswer{"NoContentWithABody", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nabcd"},
        WrongAnswer{"UnaskedPart",
                    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/8\r\nContent-Length: "
                    "4\r\nCache-Control: max-age=3600\r\n\r\nabcd"},
        WrongAnswer{"LabelledGzip", kHead + "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n#EXTM3U\n"},
        WrongAnswer{.name = "WrongDigest",
                    .raw = kHead + "Content-Digest: crc32c=:AAAAAA==:\r\nContent-Length: 4\r\n\r\nabcd",
                    .code = ErrorCode::upstream_corrupt}),
    [](const ::testing::TestParamInfo<WrongAnswer>& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace reelway::edge
