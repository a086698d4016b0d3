#include "edge/request/prefetch.h"

#include <gtest/gtest.h>

#include "tests/unit/edge/request/edge_under_test.h"

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;

class PrefetchTest : public EdgeTest {
 protected:
  PrefetchTest() {
    origin_.script(path("media.m3u8"), {.body = "#EXTM3U\n0.m4s\n1.m4s\n2.m4s\n3.m4s\n"});
    for (int number = 0; number < 5; ++number) origin_.script(path(segment(number)), {.body = "segment"});
  }

  static std::string segment(int number) { return std::to_string(number) + ".m4s"; }
  static std::string path(const std::string& resource) { return "/film/v1/video/720/" + resource; }
  void start(std::size_t segments) {
    config_.prefetch_segments = segments;
    config_.prefetch_running_max = 2;
    edge_ = std::make_unique<RunningEdge>(config_, clock_);
    edge_->wait_until_ready();
  }
  PlainResponse get(const std::string& resource, const std::string& query = {}) {
    return PlainClient(edge_->port()).get("/t/" + keys_.token("film") + path(resource) + query);
  }
  PrefetchCounters counters() {
    return edge_->on_ring([](EdgeServer& server) { return server.prefetch().counters(); });
  }
};

TEST_F(PrefetchTest, ASessionThatHasMetAMissMeetsNoSecond) {
  start(1);
  get("media.m3u8");
  EXPECT_EQ(get(segment(0)).header("Cache-Status"), "edge-a; fwd=miss; stored");
  for (int number = 1; number <= 3; ++number) {
    origin_.wait_until_asked(path(segment(number)), 1);
    const std::string status = get(segment(number)).header("Cache-Status");
    EXPECT_TRUE(status.find("hit") != std::string::npos || status.find("collapsed") != std::string::npos) << status;
    EXPECT_EQ(origin_.asked(path(segment(number))), 1);
  }
  EXPECT_EQ(counters().begun, 3u);
  EXPECT_EQ(counters().used, 3u);
  EXPECT_EQ(origin_.asked(path(segment(4))), 0);  // the playlist ends before it
}

TEST_F(PrefetchTest, WhatWasInMemoryLeadsToNone) {
  start(0);
  get("media.m3u8");
  get(segment(0));
  edge_.reset();
  start(1);
  get("media.m3u8");
  get(segment(0));  // from disk: a session that begins here may meet a miss next
  origin_.wait_until_asked(path(segment(1)), 1);
  for (int again = 0; again < 3; ++again) get(segment(0));
  EXPECT_EQ(counters().begun, 1u);
}

TEST_F(PrefetchTest, WithoutThePlaylistOnlyThePlayersOwnWordCounts) {
  start(1);
  get(segment(0));
  EXPECT_EQ(counters().begun, 0u);
  get(segment(1), "?CMCD=nor%3D%223.m4s%22");
  origin_.wait_until_asked(path(segment(3)), 1);
  EXPECT_EQ(counters().begun, 1u);
  EXPECT_EQ(origin_.asked(path(segment(2))), 0);
}

TEST_F(PrefetchTest, AFilmElsewhereOrARenditionThatWasNotRentedIsNotFetched) {
  start(1);
  const access::Token token{1, kStartS - 10, kStartS + 3600, {}, "film", {}, {.max_height = 720, .languages = {}}};
  for (const std::string next : {"..%252F1080%252F1.m4s", "..%252F..%252F..%252F..%252Fother%252Fv1%252F1.m4s"}) {
    const PlainResponse answer =
        PlainClient(edge_->port())
            .get("/t/" + keys_.token(token) + path(segment(0)) + "?CMCD=nor%3D%22" + next + "%22");
    EXPECT_EQ(answer.status, 200);
  }
  EXPECT_EQ(counters().begun, 0u);
}

TEST_F(PrefetchTest, NeverAheadOfWhatSomebodyWaitsFor) {
  config_.upstream_connections_max = 2;
  const auto gate = std::make_shared<Latch>();
  origin_.script(path("slow.m4s"), {.body = "slow", .before_head = gate});
  start(1);
  get("media.m3u8");
  PlainClient waiting(edge_->port());
  waiting.send("GET /t/" + keys_.token("film") + path("slow.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  origin_.wait_until_asked(path("slow.m4s"), 1);
  get(segment(0));
  EXPECT_EQ(counters().begun, 0u);
  EXPECT_EQ(counters().held_back, 1u);
  gate->open();
}

}  // namespace
}  // namespace reelway::edge
