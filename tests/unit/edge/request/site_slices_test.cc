#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/edge/request/edge_under_test.h"

// Large objects of a site: fetched, stored and answered in slices of 64 KiB (edge_under_test.h).

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

constexpr std::size_t kSlice = 64 * 1024;
constexpr std::size_t kBytes = 10 * kSlice + 1000;
constexpr std::size_t kSlices = 11;

std::string large_body(char seed, std::size_t bytes = kBytes) {
  std::string body(bytes, seed);
  for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>(seed + static_cast<char>(i * 31 / 1000 % 23));
  return body;
}

Script film(std::string body, std::string etag = "\"1\"", std::string control = "max-age=60") {
  Script script;
  script.headers = "Cache-Control: " + std::move(control) + "\r\nETag: " + std::move(etag) +
                   "\r\nAccept-Ranges: bytes\r\nContent-Type: video/mp4\r\nCache-Tag: film\r\n";
  script.body = std::move(body);
  script.with_digest = false;
  script.takes_ranges = true;
  return script;
}

std::string range_of(std::size_t number) {
  const std::size_t end = std::min(kBytes, (number + 1) * kSlice);
  return "bytes=" + std::to_string(number * kSlice) + "-" + std::to_string(end - 1);
}

class SiteSlicesTest : public EdgeTest {
 protected:
  SiteSlicesTest() { config_.site_upstreams = {{.host = "127.0.0.1", .port = origin_.port()}}; }
  void SetUp() override { start(); }

  PlainResponse get(const std::string& headers = {}, const std::string& method = "GET") {
    return PlainClient(edge_->port()).get("/film", headers, method);
  }
  SiteCounters counters() {
    return edge_->on_ring([](EdgeServer& server) { return server.site()->counters; });
  }
  void wait_until_stored(std::uint64_t fills) {
    wait_for([fills](EdgeServer& server) { return server.store().counters().fills_completed >= fills; });
  }
  std::uint64_t purge(PurgeRequest request) {
    std::promise<Result<PurgeResult>> purged;
    edge_->ring().post([&] {
      edge_->server().store().purge(request, [&](Result<PurgeResult> result) { purged.set_value(std::move(result)); });
    });
    return purged.get_future().get()->objects;
  }
};

TEST_F(SiteSlicesTest, ALargeObjectIsFetchedAndKeptInSlices) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  const PlainResponse miss = get();
  EXPECT_EQ(miss.status, 200);
  EXPECT_EQ(miss.header("Content-Length"), std::to_string(kBytes));
  EXPECT_EQ(miss.header("ETag"), "\"1\"");
  EXPECT_EQ(miss.header("Content-Range"), "");
  EXPECT_NE(miss.header("Cache-Status").find("fwd=uri-miss; fwd-status=200; ttl=60; stored"), std::string::npos);
  EXPECT_TRUE(miss.body == body);
  std::vector<std::string> asked = {""};
  for (std::size_t i = 1; i < kSlices; ++i) asked.push_back(range_of(i));
  EXPECT_EQ(origin_.ranges_asked("/film"), asked);
  EXPECT_NE(origin_.last_request("/film").find("\r\nIf-Range: \"1\"\r\n"), std::string::npos);
  const PlainResponse hit = get();
  EXPECT_TRUE(hit.body == body);
  EXPECT_NE(hit.header("Cache-Status").find("hit; ttl=60"), std::string::npos);
  restart();
  const PlainResponse from_disk = get();
  EXPECT_TRUE(from_disk.body == body);
  EXPECT_NE(from_disk.header("Cache-Status").find("detail=\"disk\""), std::string::npos);
  EXPECT_EQ(origin_.asked("/film"), static_cast<int>(kSlices));
}

TEST_F(SiteSlicesTest, ARangeOfAColdObjectFetchesOnlyItsSlices) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  const PlainResponse middle = get("Range: bytes=400000-400099\r\n");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.header("Content-Range"), "bytes 400000-400099/" + std::to_string(kBytes));
  EXPECT_EQ(middle.header("Content-Length"), "100");
  EXPECT_EQ(middle.body, body.substr(400'000, 100));
  EXPECT_EQ(origin_.ranges_asked("/film"), (std::vector<std::string>{"", range_of(6)}));
  const PlainResponse end = get("Range: bytes=-1500\r\n");
  EXPECT_EQ(end.body, body.substr(kBytes - 1500));
  EXPECT_NE(end.header("Cache-Status").find("fwd=partial; fwd-status=206; ttl=60; stored"), std::string::npos)
      << end.header("Cache-Status");
  EXPECT_EQ(origin_.ranges_asked("/film"), (std::vector<std::string>{"", range_of(6), range_of(9), range_of(10)}));
  EXPECT_EQ(get("Range: bytes=400050-400060\r\n").body, body.substr(400'050, 11));
  EXPECT_EQ(origin_.asked("/film"), 4);
}

TEST_F(SiteSlicesTest, SeveralRangesComeFromTheirSlices) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  const PlainResponse parts = get("Range: bytes=500000-500009, 0-9, 131070-131080\r\n");
  EXPECT_EQ(parts.status, 206);
  EXPECT_TRUE(parts.whole);
  EXPECT_EQ(parts.body.size(), std::stoull(parts.header("Content-Length")));
  for (const auto& [first, count] : {std::pair{500'000, 10}, {0, 10}, {131'070, 11}}) {
    EXPECT_NE(parts.body.find("\r\n\r\n" + body.substr(first, count) + "\r\n--"), std::string::npos) << first;
  }
  const std::vector<std::string> asked = origin_.ranges_asked("/film");
  EXPECT_EQ(asked, (std::vector<std::string>{"", range_of(7), range_of(1), range_of(2)}));
}

TEST_F(SiteSlicesTest, TheHeadAloneAnswersPreconditionsAndHead) {
  origin_.script("/film", film(large_body('a')));
  EXPECT_EQ(get("Range: bytes=400000-400000\r\n").status, 206);
  const PlainResponse same = get("If-None-Match: \"1\"\r\n");
  EXPECT_EQ(same.status, 304);
  const PlainResponse head = get({}, "HEAD");
  EXPECT_EQ(head.header("Content-Length"), std::to_string(kBytes));
  const PlainResponse beyond = get("Range: bytes=10000000-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */" + std::to_string(kBytes));
  EXPECT_EQ(get("Range: bytes=400000-400004\r\nIf-Range: \"1\"\r\n").status, 206);
  EXPECT_EQ(get("Cache-Control: only-if-cached\r\n").status, 504);
  EXPECT_EQ(origin_.asked("/film"), 2);
}

TEST_F(SiteSlicesTest, ManyReadersShareEachSlice) {
  const std::string body = large_body('a');
  const auto gate = std::make_shared<Latch>();
  Script script = film(body);
  script.before_head = gate;
  origin_.script("/film", script);
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET /film HTTP/1.1\r\nHost: edge\r\n\r\n");
  }
  wait_for([](EdgeServer& server) { return server.store().counters().follows >= 19; });
  gate->open();
  for (auto& client : clients) EXPECT_TRUE(client->receive().body == body);
  EXPECT_EQ(origin_.asked("/film"), static_cast<int>(kSlices));
  EXPECT_EQ(counters().slices_fetched, kSlices);
}

TEST_F(SiteSlicesTest, AChangeCutsWhatIsUnderWayAndTheNextRequestGetsTheNewOne) {
  const std::string old_body = large_body('a');
  const std::string new_body = large_body('b', kBytes + 5);
  origin_.script("/film", film(old_body));
  EXPECT_EQ(get("Range: bytes=0-9\r\n").body, old_body.substr(0, 10));
  wait_until_stored(2);
  origin_.script("/film", film(new_body, "\"2\""));
  const PlainResponse cut = get();
  EXPECT_EQ(cut.header("ETag"), "\"1\"");
  EXPECT_FALSE(cut.whole);
  EXPECT_EQ(counters().slices_changed, 1u);
  const PlainResponse fresh = get();
  EXPECT_EQ(fresh.header("ETag"), "\"2\"");
  EXPECT_TRUE(fresh.body == new_body);
}

TEST_F(SiteSlicesTest, AChangeThatShowsBeforeTheHeadIsNotSeenByTheClient) {
  origin_.script("/film", film(large_body('a')));
  EXPECT_EQ(get("Range: bytes=0-9\r\n").status, 206);
  const std::string new_body = large_body('b');
  origin_.script("/film", film(new_body, "\"2\""));
  const PlainResponse part = get("Range: bytes=400000-400099\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("ETag"), "\"2\"");
  EXPECT_EQ(part.body, new_body.substr(400'000, 100));
}

TEST_F(SiteSlicesTest, WhatIsGoneIsAnsweredAsTheOriginDoes) {
  origin_.script("/film", film(large_body('a')));
  EXPECT_EQ(get("Range: bytes=0-9\r\n").status, 206);
  Script gone = film("gone");
  gone.status = 404;
  gone.takes_ranges = false;
  origin_.script("/film", gone);
  EXPECT_EQ(get("Range: bytes=400000-400099\r\n").status, 404);
}

TEST_F(SiteSlicesTest, AnErrorForASliceLeavesTheRestInPlace) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  EXPECT_EQ(get("Range: bytes=0-9\r\n").status, 206);
  Script error = film("sorry");
  error.status = 503;
  error.takes_ranges = false;
  origin_.script("/film", error);
  const PlainResponse failed = get("Range: bytes=400000-400099\r\n");
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(failed.header("Reelway-Error"), "upstream_failed");
  EXPECT_EQ(get("Range: bytes=0-9\r\n").body, body.substr(0, 10));
  origin_.script("/film", film(body));
  EXPECT_TRUE(get().body == body);
}

TEST_F(SiteSlicesTest, ASliceThatBreaksOffIsFetchedAgain) {
  const std::string body = large_body('a');
  Script script = film(body);
  script.cut_parts = std::make_shared<std::atomic<int>>(2);
  origin_.script("/film", script);
  const PlainResponse whole = get();
  EXPECT_TRUE(whole.whole);
  EXPECT_TRUE(whole.body == body);
  EXPECT_GE(counters().slices_retried, 1u);
}

TEST_F(SiteSlicesTest, AnOriginThatOnlySaysThatItTakesRangesIsAskedForTheWhole) {
  const std::string body = large_body('a');
  Script script = film(body);
  script.takes_ranges = false;
  origin_.script("/film", script);
  EXPECT_FALSE(get().whole);
  EXPECT_TRUE(get().body == body);
  EXPECT_TRUE(get().body == body);
  EXPECT_EQ(origin_.ranges_asked("/film"), (std::vector<std::string>{"", range_of(1), ""}));
}

// As it seems to do when several servers give it tags of their own.
TEST_F(SiteSlicesTest, WhatChangesAgainAndAgainIsFetchedWhole) {
  const std::string body = large_body('a');
  for (int version = 1; version <= 3; ++version) {
    origin_.script("/film", film(body, "\"" + std::to_string(version) + "\""));
    // The first slice stays, so the change shows only when a part of the answer has been sent.
    EXPECT_EQ(get(version == 1 ? "Range: bytes=0-9\r\n" : "").whole, version == 1);
    if (version == 2) {
      EXPECT_EQ(get("Range: bytes=0-9\r\n").header("ETag"), "\"2\"");
    }
  }
  EXPECT_EQ(counters().slices_changed, 2u);
  const int asked = origin_.asked("/film");
  EXPECT_TRUE(get().body == body);
  EXPECT_EQ(get().header("ETag"), "\"3\"");
  EXPECT_EQ(origin_.asked("/film"), asked + 1);
}

TEST_F(SiteSlicesTest, AStaleHeadIsValidatedAndItsSlicesStay) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  EXPECT_TRUE(get().body == body);
  clock_.advance_s(100);
  Script confirmed = film(body);
  confirmed.status = 304;
  origin_.script("/film", confirmed);
  const PlainResponse validated = get();
  EXPECT_TRUE(validated.body == body);
  EXPECT_NE(validated.header("Cache-Status").find("fwd=stale; fwd-status=304"), std::string::npos);
  EXPECT_EQ(origin_.asked("/film"), static_cast<int>(kSlices) + 1);
  EXPECT_NE(get().header("Cache-Status").find("hit; ttl=60"), std::string::npos);
}

TEST_F(SiteSlicesTest, APurgeOfTheUrlOrATagFindsTheSlices) {
  origin_.script("/film", film(large_body('a')));
  for (const PurgeRequest& request : {PurgeRequest{.kind = PurgeRequest::Kind::url, .value = "/film", .soft = false},
                                      PurgeRequest{.kind = PurgeRequest::Kind::prefix, .value = "/fi", .soft = false},
                                      PurgeRequest{.kind = PurgeRequest::Kind::tag, .value = "film", .soft = false}}) {
    const int asked = origin_.asked("/film");
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(origin_.asked("/film"), asked + static_cast<int>(kSlices));
    wait_for([](EdgeServer& server) { return server.fills().running() == 0; });
    EXPECT_EQ(purge(request), kSlices + 1);
  }
}

TEST_F(SiteSlicesTest, VariantsHaveSlicesOfTheirOwn) {
  const std::string one = large_body('a');
  const std::string two = large_body('b');
  Script script = film(one);
  script.headers += "Vary: X-Kind\r\n";
  origin_.script("/film", script);
  EXPECT_TRUE(get("X-Kind: 1\r\n").body == one);
  script = film(two, "\"2\"");
  script.headers += "Vary: X-Kind\r\n";
  origin_.script("/film", script);
  EXPECT_TRUE(get("X-Kind: 2\r\n").body == two);
  const int asked = origin_.asked("/film");
  EXPECT_TRUE(get("X-Kind: 1\r\n").body == one);
  EXPECT_TRUE(get("X-Kind: 2\r\n").body == two);
  EXPECT_EQ(origin_.asked("/film"), asked);
}

TEST_F(SiteSlicesTest, WhatIsFetchedWithAuthorizationIsNotShared) {
  const std::string body = large_body('a');
  origin_.script("/film", film(body));
  EXPECT_EQ(get("Range: bytes=0-9\r\n").status, 206);
  wait_until_stored(2);
  const std::string range = "Range: bytes=400000-400099\r\n";
  EXPECT_EQ(get(range + "Authorization: Basic eA==\r\n").body, body.substr(400'000, 100));
  EXPECT_EQ(get(range + "Authorization: Basic eA==\r\n").body, body.substr(400'000, 100));
  EXPECT_EQ(origin_.asked("/film"), 3);
  EXPECT_EQ(get(range).body, body.substr(400'000, 100));
  EXPECT_EQ(get(range).body, body.substr(400'000, 100));
  EXPECT_EQ(origin_.asked("/film"), 4);
}

TEST_F(SiteSlicesTest, WhatMayNotBeStoredOrToldApartIsNotSliced) {
  const std::string body = large_body('a');
  for (const auto& [etag, control] :
       {std::pair{"W/\"1\"", "max-age=60"}, {"\"1\"", "private"}, {"\"1\"", "no-store"}}) {
    origin_.script("/film", film(body, etag, control));
    EXPECT_TRUE(get().body == body);
    edge_->on_ring([](EdgeServer& server) {
      server.store().erase("s|edge|/film");
      return true;
    });
  }
  EXPECT_EQ(counters().sliced, 0u);
  EXPECT_EQ(origin_.asked("/film"), 3);
}

// At every moment no more is fetched than has been sent, what the connection's send holds, and one slice ahead.
TEST_F(SiteSlicesTest, ASlowClientHoldsTwoSlicesAtMost) {
  const std::string body = large_body('a', 400 * kSlice);
  origin_.script("/film", film(body));
  PlainClient client(edge_->port());
  client.send("GET /film HTTP/1.1\r\nHost: edge\r\n\r\n");
  PlainResponse response = client.receive_start(1);
  const auto is_bounded = [](EdgeServer& server) {
    const std::uint64_t sent = server.listener().client_counters().sent_bytes;
    return server.site()->counters.slices_fetched * kSlice <= sent + 3 * kSlice;
  };
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(edge_->on_ring(is_bounded));
  client.receive_rest(response);
  EXPECT_TRUE(response.body == body);
}

}  // namespace
}  // namespace reelway::edge
