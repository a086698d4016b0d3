// What an edge does with tokens that name a rental: a whole edge, a real ring, and an origin that tells of rentals.

#include <gtest/gtest.h>

#include "tests/unit/edge/request/edge_under_test.h"

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

constexpr rights::EntitlementId kRented{1};
constexpr rights::EntitlementId kEnded{2};
constexpr rights::EntitlementId kUnknown{3};

class RentalTest : public EdgeTest {
 protected:
  void SetUp() override {
    rights_.publish({{kRented, 5, active_rental()}, {kEnded, 6, revoked_rental()}});
    origin_.script("/film/v1/a.m4s", Script{.body = std::string(1000, 'x')});
    start();
  }
  void start() {
    edge_ = std::make_unique<RunningEdge>(config_, clock_);
    wait_for([](EdgeServer& server) { return server.ready(); });
  }

  std::string url(const rights::EntitlementId& id, const std::string& resource, access::View view = {}) {
    const access::Token token{1, kStartS - 10, kStartS + 3600, {7}, "film", access::EntitlementClaim{id, 5}, view};
    return "/t/" + keys_.token(token) + "/film/" + resource;
  }
  PlainResponse get(const std::string& path) { return PlainClient(edge_->port()).get(path); }
  std::string code(const std::string& path) { return get(path).header("Reelway-Error"); }
};

TEST_F(RentalTest, TheReplicaDecides) {
  EXPECT_EQ(get(url(kRented, "v1/a.m4s")).status, 200);
  const PlainResponse refused = get(url(kEnded, "v1/a.m4s"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("Reelway-Error"), "entitlement_revoked");
}

TEST_F(RentalTest, OneThatTheReplicaLacksIsAskedForOnce) {
  rights_.tell({kUnknown, 12, active_rental()});
  const std::string path = url(kUnknown, "v1/a.m4s");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(path).status, 200);
  EXPECT_EQ(origin_.asked("/.reelway/v1/entitlement?id=" + rights::id_text(kUnknown)), 1);
}

TEST_F(RentalTest, OneThatNobodyKnowsIsRefused) {
  rights_.tell_none(kUnknown);
  EXPECT_EQ(code(url(kUnknown, "v1/a.m4s")), "rental_unknown");
}

TEST_F(RentalTest, AnOriginThatFailsToAnswerIsNoRefusalForGood) {
  const PlainResponse failed = get(url(kUnknown, "v1/a.m4s"));  // the fake origin knows no such path
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(failed.header("Reelway-Error"), "upstream_failed");
}

TEST_F(RentalTest, ARestartedEdgeDecidesWithoutAnOrigin) {
  EXPECT_EQ(get(url(kRented, "v1/a.m4s")).status, 200);
  edge_.reset();
  config_.upstreams.front().port = 1;  // nothing listens there
  start();
  EXPECT_EQ(get(url(kRented, "v1/a.m4s")).status, 200);
  EXPECT_EQ(code(url(kEnded, "v1/a.m4s")), "entitlement_revoked");
}

TEST_F(RentalTest, ARevocationEndsTheAnswerUnderWay) {
  const auto gate = std::make_shared<Latch>();
  origin_.script("/film/v1/long.m4s",
                 Script{.body = std::string(2'000'000, 'y'), .bytes_before_gate = 500'000, .gate = gate});
  const auto revoke = rights_.follow({rights::EventsFrame{10, 11, {{kRented, revoked_rental()}}}});
  origin_.close_connections();  // the edge takes the stream up again, now with what follows
  PlainClient client(edge_->port());
  client.send("GET " + url(kRented, "v1/long.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  EXPECT_EQ(client.receive_start(100'000).status, 200);
  revoke->open();
  client.closed_by_peer();
  EXPECT_TRUE(client.reset());
  EXPECT_EQ(edge_->on_ring([](EdgeServer& server) { return server.counters().rental_cuts; }), 1u);
  EXPECT_EQ(code(url(kRented, "v1/a.m4s")), "entitlement_revoked");
  gate->open();
}

TEST_F(RentalTest, AViewNarrowsPathsAndPlaylistsButSharesSegments) {
  const access::View sd{480, {}};
  origin_.script("/film/v1/master.m3u8", Script{.body = "playlist"});
  origin_.script("/film/v1/video/480/0.m4s", Script{.body = "segment"});
  EXPECT_EQ(get(url(kRented, "v1/master.m3u8")).status, 200);
  EXPECT_EQ(origin_.last_request("/film/v1/master.m3u8").find("Reelway-View"), std::string::npos);
  EXPECT_EQ(get(url(kRented, "v1/master.m3u8", sd)).status, 200);
  EXPECT_NE(origin_.last_request("/film/v1/master.m3u8").find("\r\nReelway-View: h480\r\n"), std::string::npos);
  EXPECT_EQ(origin_.asked("/film/v1/master.m3u8"), 2);
  EXPECT_EQ(get(url(kRented, "v1/video/480/0.m4s")).status, 200);
  EXPECT_EQ(get(url(kRented, "v1/video/480/0.m4s", sd)).status, 200);
  EXPECT_EQ(origin_.asked("/film/v1/video/480/0.m4s"), 1);
  EXPECT_EQ(code(url(kRented, "v1/video/720/0.m4s", sd)), "rendition_not_in_offer");
}

TEST_F(RentalTest, AHeartbeatIsRelayedAndNotStored) {
  const std::string call =
      "/.reelway/v1/heartbeat?session=07000000000000000000000000000000&entitlement=" + rights::id_text(kRented) +
      "&title=film&position_s=12";
  origin_.script(call, Script{.headers = "Content-Type: application/json\r\n", .body = R"({"next_s":60})"});
  const std::string path = url(kRented, "heartbeat");
  PlainClient client(edge_->port());
  for (int i = 1; i <= 2; ++i) {
    const PlainResponse answer = client.get(path + "?position_s=12", "Origin: https://player.example\r\n", "POST");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"next_s":60})");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://player.example");
    EXPECT_EQ(origin_.asked(call), i);
  }
  EXPECT_EQ(client.get(path + "?position_s=-1", {}, "POST").header("Reelway-Error"), "http_bad_request");
  EXPECT_EQ(client.get(path).header("Allow"), "POST, OPTIONS");
  EXPECT_EQ(client.get(url(kEnded, "heartbeat"), {}, "POST").header("Reelway-Error"), "entitlement_revoked");
  EXPECT_EQ(client.get(url(kRented, "v1/a.m4s"), {}, "POST").header("Reelway-Error"), "http_method_not_allowed");
}

TEST_F(RentalTest, TheOriginLearnsHowTheEdgeStands) {
  config_.public_url = "https://edge.example";
  edge_.reset();
  start();
  wait_for(
      [this](EdgeServer&) { return origin_.last_request("/.reelway/v1/keys").find("records=2") != std::string::npos; });
  const std::string request = origin_.last_request("/.reelway/v1/keys");
  EXPECT_NE(request.find("\r\nReelway-Edge-State: version=\""), std::string::npos);
  EXPECT_NE(request.find("url=\"https://edge.example\""), std::string::npos);
  EXPECT_NE(request.find("revision=10"), std::string::npos);
}

TEST_F(RentalTest, JunkFromOneAddressIsSoonRefusedUncheckedWhileGoodTokensPlay) {
  config_.token_failures_burst = 5;
  edge_.reset();
  start();
  const std::string good = url(kRented, "v1/a.m4s");
  PlainClient client(edge_->port());
  EXPECT_EQ(client.get(good).status, 200);
  int checked = 0;
  for (int i = 0; i < 50; ++i) {
    std::string junk = good;
    junk[junk.find("/film/") - 10 - static_cast<std::size_t>(i)] ^= 1;
    const std::string answer = client.get(junk).header("Reelway-Error");
    checked += answer == "token_signature_bad" ? 1 : 0;
  }
  EXPECT_LE(checked, 6);  // the burst, and perhaps one that time gave back
  EXPECT_EQ(client.get(good).status, 200);
  const std::string other = url(kRented, "v1/a.m4s", access::View{480, {}});  // good too, but not seen before
  const PlainResponse waits = client.get(other);
  EXPECT_EQ(waits.status, 429);
  EXPECT_EQ(waits.header("Retry-After"), "30");
}

}  // namespace
}  // namespace reelway::edge
