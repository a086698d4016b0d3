#include <gtest/gtest.h>

#include "tests/unit/edge/request/edge_under_test.h"

// An edge as a general shared cache in front of a scripted origin: real ring, real store in a temporary folder.

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

Script page(std::string headers, std::string body = "body") {
  Script script;
  script.headers = std::move(headers);
  script.body = std::move(body);
  script.with_digest = false;
  return script;
}

Script not_modified(std::string headers) {
  Script script = page(std::move(headers));
  script.status = 304;
  return script;
}

class SiteTest : public EdgeTest {
 protected:
  SiteTest() { config_.site_upstreams = {{.host = "127.0.0.1", .port = origin_.port()}}; }
  void SetUp() override { start(); }

  PlainResponse get(const std::string& path, const std::string& headers = {}, const std::string& method = "GET") {
    return PlainClient(edge_->port()).get(path, headers, method);
  }
  static std::string status_of(const PlainResponse& response) {  // Cache-Status without its key
    std::string status = response.header("Cache-Status");
    const std::size_t at = status.find("; key=\"");
    if (at == std::string::npos) return status;
    return status.erase(at, status.find('"', at + 7) + 1 - at);
  }
  bool upstream_got(const std::string& path, const std::string& line) {
    return origin_.last_request(path).find("\r\n" + line + "\r\n") != std::string::npos;
  }
  void wait_until_follows(std::uint64_t count) {
    wait_for([count](EdgeServer& server) { return server.store().counters().follows >= count; });
  }
};

TEST_F(SiteTest, AMissIsFetchedWithTheClientsFieldsAndThenAHit) {
  origin_.script("/a?x=1", page("Cache-Control: max-age=60\r\nX-Shown: 1\r\nContent-Type: text/plain\r\n"));
  const PlainResponse miss = get("/a?x=1", "Cookie: c=1\r\nX-Asked: 2\r\nConnection: X-Hop\r\nX-Hop: 3\r\n");
  EXPECT_EQ(miss.status, 200);
  EXPECT_EQ(miss.body, "body");
  EXPECT_EQ(status_of(miss), "edge-a; fwd=uri-miss; fwd-status=200; ttl=60; stored");
  EXPECT_TRUE(upstream_got("/a?x=1", "Cookie: c=1"));
  EXPECT_TRUE(upstream_got("/a?x=1", "X-Asked: 2"));
  EXPECT_TRUE(upstream_got("/a?x=1", "Host: edge"));
  EXPECT_FALSE(upstream_got("/a?x=1", "X-Hop: 3"));
  EXPECT_EQ(origin_.last_request("/a?x=1").find("Authorization"), std::string::npos);
  clock_.advance_s(7);
  const PlainResponse hit = get("/a?x=1");
  EXPECT_EQ(hit.body, "body");
  EXPECT_EQ(status_of(hit), "edge-a; hit; ttl=53; detail=\"memory\"");
  EXPECT_EQ(hit.header("Age"), "7");
  EXPECT_EQ(hit.header("X-Shown"), "1");
  EXPECT_EQ(hit.header("Cache-Control"), "max-age=60");
  EXPECT_EQ(origin_.asked("/a?x=1"), 1);
  EXPECT_EQ(origin_.asked("/a?x=2"), 0);
}

TEST_F(SiteTest, WhatIsStoredOutlivesARestart) {
  origin_.script("/a", page("Cache-Control: max-age=60\r\nX-Shown: 1\r\n"));
  EXPECT_EQ(get("/a").status, 200);
  restart();
  const PlainResponse hit = get("/a");
  EXPECT_EQ(hit.header("X-Shown"), "1");
  EXPECT_EQ(status_of(hit), "edge-a; hit; ttl=60; detail=\"disk\"");
}

TEST_F(SiteTest, AStaleObjectIsValidatedAndFreshened) {
  origin_.script("/a", page("Cache-Control: max-age=5\r\nETag: \"1\"\r\nX-Shown: old\r\n"));
  EXPECT_EQ(get("/a").status, 200);
  clock_.advance_s(10);
  origin_.script("/a", not_modified("Cache-Control: max-age=30\r\nETag: \"1\"\r\nX-Shown: new\r\n"));
  const PlainResponse validated = get("/a");
  EXPECT_EQ(validated.status, 200);
  EXPECT_EQ(validated.body, "body");
  EXPECT_EQ(validated.header("X-Shown"), "new");
  EXPECT_EQ(validated.header("Cache-Status").substr(0, 33), "edge-a; fwd=stale; fwd-status=304");
  EXPECT_TRUE(upstream_got("/a", "If-None-Match: \"1\""));
  clock_.advance_s(20);
  EXPECT_EQ(get("/a").header("X-Shown"), "new");
  EXPECT_EQ(origin_.asked("/a"), 2);
}

TEST_F(SiteTest, AStaleObjectThatHasChangedIsReplaced) {
  origin_.script("/a", page("Cache-Control: max-age=5\r\nETag: \"1\"\r\n", "old"));
  EXPECT_EQ(get("/a").body, "old");
  clock_.advance_s(10);
  origin_.script("/a", page("Cache-Control: max-age=5\r\nETag: \"2\"\r\n", "new"));
  EXPECT_EQ(get("/a").body, "new");
  EXPECT_EQ(get("/a").body, "new");
  EXPECT_EQ(origin_.asked("/a"), 2);
}

TEST_F(SiteTest, ANotModifiedAboutSomethingElseIsFollowedByOneFetchOfTheWhole) {
  origin_.script("/a", page("Cache-Control: max-age=5\r\nETag: \"1\"\r\n", "old"));
  EXPECT_EQ(get("/a").body, "old");
  clock_.advance_s(10);
  Script other = not_modified("Cache-Control: max-age=5\r\nETag: \"2\"\r\n");
  other.then = std::make_shared<Script>(page("Cache-Control: max-age=5\r\nETag: \"2\"\r\n", "new"));
  origin_.script("/a", other);
  const PlainResponse whole = get("/a");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "new");
  EXPECT_EQ(whole.header("Cache-Status").substr(0, 33), "edge-a; fwd=stale; fwd-status=200");
  EXPECT_EQ(origin_.last_request("/a").find("If-None-Match"), std::string::npos);
  EXPECT_EQ(get("/a").body, "new");
  EXPECT_EQ(origin_.asked("/a"), 3);
  clock_.advance_s(10);
  origin_.script("/a", not_modified("ETag: \"3\"\r\n"));
  EXPECT_EQ(get("/a").status, 502) << "a 304 to a request without a condition is no answer";
  EXPECT_EQ(origin_.asked("/a"), 5);
}

TEST_F(SiteTest, StaleWhileRevalidateAnswersAtOnceAndAsksInTheBackground) {
  origin_.script("/a", page("Cache-Control: max-age=5, stale-while-revalidate=60\r\nETag: \"1\"\r\n", "old"));
  EXPECT_EQ(get("/a").body, "old");
  clock_.advance_s(10);
  const auto gate = std::make_shared<Latch>();
  Script next = page("Cache-Control: max-age=60\r\nETag: \"2\"\r\n", "new");
  next.before_head = gate;
  origin_.script("/a", next);
  const PlainResponse stale = get("/a");
  EXPECT_EQ(stale.body, "old");
  EXPECT_EQ(status_of(stale).substr(0, 19), "edge-a; hit; ttl=-5");
  EXPECT_EQ(get("/a").body, "old");  // asked once only
  gate->open();
  wait_for([](EdgeServer& server) { return server.store().counters().fills_completed == 2; });
  EXPECT_EQ(get("/a").body, "new");
  EXPECT_EQ(origin_.asked("/a"), 2);
  EXPECT_EQ(edge_->on_ring([](EdgeServer& server) { return server.site()->background; }), 0u);
}

TEST_F(SiteTest, StaleIfErrorStandsInForAnErrorAndForAnOriginThatIsGone) {
  origin_.script("/a", page("Cache-Control: max-age=5, stale-if-error=600\r\n", "old"));
  origin_.script("/b", page("Cache-Control: max-age=5, must-revalidate\r\n", "old"));
  EXPECT_EQ(get("/a").body, "old");
  EXPECT_EQ(get("/b").body, "old");
  clock_.advance_s(10);
  Script error = page("", "sorry");
  error.status = 503;
  origin_.script("/a", error);
  const PlainResponse stale = get("/a");
  EXPECT_EQ(stale.status, 200);
  EXPECT_EQ(stale.body, "old");
  EXPECT_NE(stale.header("Cache-Status").find("detail=\"stale-if-error\""), std::string::npos);
  Script gone = page("");
  gone.headers = "garbage\r\n";
  origin_.script("/a", gone);
  EXPECT_EQ(get("/a").body, "old");
  origin_.script("/b", gone);
  EXPECT_EQ(get("/b").status, 502);
  clock_.advance_s(10'000);
  EXPECT_EQ(get("/a").status, 502);
}

TEST_F(SiteTest, VariantsAreStoredSideBySide) {
  const std::string headers = "Cache-Control: max-age=60\r\nVary: X-Kind\r\n";
  origin_.script("/a", page(headers, "one"));
  EXPECT_EQ(get("/a", "X-Kind: 1\r\n").body, "one");
  origin_.script("/a", page(headers, "two"));
  const PlainResponse second = get("/a", "X-Kind: 2\r\n");
  EXPECT_EQ(second.body, "two");
  EXPECT_EQ(status_of(second).substr(0, 21), "edge-a; fwd=vary-miss");
  EXPECT_EQ(get("/a", "X-Kind: 1\r\n").body, "one");
  EXPECT_EQ(get("/a", "X-Kind: 2\r\n").body, "two");
  EXPECT_EQ(origin_.asked("/a"), 2);
  restart();  // the marker comes from disk, too
  EXPECT_EQ(get("/a", "X-Kind: 1\r\n").body, "one");
  EXPECT_EQ(get("/a", "X-Kind: 2\r\n").body, "two");
  EXPECT_EQ(origin_.asked("/a"), 2);
}

TEST_F(SiteTest, AFollowerOfAnotherVariantFetchesItsOwn) {
  const auto gate = std::make_shared<Latch>();
  Script one = page("Cache-Control: max-age=60\r\nVary: X-Kind\r\n", "one");
  one.before_head = gate;
  origin_.script("/a", one);
  PlainClient first(edge_->port());
  PlainClient second(edge_->port());
  first.send("GET /a HTTP/1.1\r\nHost: e\r\nX-Kind: 1\r\n\r\n");
  origin_.wait_until_asked("/a", 1);
  second.send("GET /a HTTP/1.1\r\nHost: e\r\nX-Kind: 2\r\n\r\n");
  wait_until_follows(1);
  origin_.script("/a", page("Cache-Control: max-age=60\r\nVary: X-Kind\r\n", "two"));
  gate->open();
  EXPECT_EQ(first.receive().body, "one");
  EXPECT_EQ(second.receive().body, "two");
}

TEST_F(SiteTest, FollowersShareWhatMayBeStoredAndLeaveWhatMayNot) {
  for (const std::string control : {"max-age=60", "private"}) {
    const std::string path = "/" + control;
    const auto gate = std::make_shared<Latch>();
    Script script = page("Cache-Control: " + control + "\r\n");
    script.before_head = gate;
    origin_.script(path, script);
    const auto follows = edge_->on_ring([](EdgeServer& server) { return server.store().counters().follows; });
    std::vector<std::unique_ptr<PlainClient>> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(std::make_unique<PlainClient>(edge_->port()));
      clients.back()->send("GET " + path + " HTTP/1.1\r\nHost: e\r\n\r\n");
    }
    wait_until_follows(follows + 9);
    gate->open();
    for (auto& client : clients) EXPECT_EQ(client->receive().body, "body");
    EXPECT_EQ(origin_.asked(path), control == "private" ? 10 : 1);
  }
}

TEST_F(SiteTest, AnUnsafeRequestIsPassedWithItsContentAndInvalidates) {
  origin_.script("GET /a", page("Cache-Control: max-age=60\r\n", "old"));
  EXPECT_EQ(get("/a").body, "old");
  Script answer = page("Cache-Control: max-age=60\r\n", "done");
  answer.status = 201;
  origin_.script("POST /a", answer);
  PlainClient client(edge_->port());
  client.send("POST /a HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive_start().status, 100);
  client.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  const PlainResponse posted = client.receive();
  EXPECT_EQ(posted.status, 201);
  EXPECT_EQ(posted.body, "done");
  EXPECT_EQ(status_of(posted), "edge-a; fwd=method; fwd-status=201");
  EXPECT_EQ(origin_.last_content("/a"), "hello world");
  origin_.script("GET /a", page("Cache-Control: max-age=60\r\n", "new"));
  EXPECT_EQ(get("/a").body, "new");
}

TEST_F(SiteTest, ContentOverTheLimitIsRefused) {
  PlainClient client(edge_->port());
  client.send("PUT /a HTTP/1.1\r\nHost: e\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_EQ(client.receive().status, 413);
  EXPECT_EQ(origin_.asked("/a"), 0);
}

TEST_F(SiteTest, ErrorsOfTheOriginGoOnAsTheyAre) {
  Script missing = page("Content-Type: text/html\r\nCache-Control: max-age=5\r\n", "no such page");
  missing.status = 404;
  origin_.script("/a", missing);
  const PlainResponse response = get("/a");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "no such page");
  EXPECT_EQ(get("/a").body, "no such page");
  EXPECT_EQ(origin_.asked("/a"), 1);
}

TEST_F(SiteTest, HeadIsAnsweredFromTheStoreOrPassed) {
  origin_.script("/a", page("Cache-Control: max-age=60\r\n", "four"));
  const PlainResponse passed = get("/a", {}, "HEAD");
  EXPECT_EQ(passed.header("Content-Length"), "4");
  EXPECT_EQ(origin_.last_request("/a").substr(0, 5), "HEAD ");
  EXPECT_EQ(get("/a").body, "four");
  const PlainResponse hit = get("/a", {}, "HEAD");
  EXPECT_EQ(hit.header("Content-Length"), "4");
  EXPECT_EQ(origin_.asked("/a"), 2);
}

TEST_F(SiteTest, PreconditionsAndRangesAreAnsweredFromTheStore) {
  origin_.script("/a", page("Cache-Control: max-age=60\r\nETag: \"1\"\r\nX-Shown: 1\r\n", "0123456789"));
  const PlainResponse part = get("/a", "Range: bytes=2-4\r\nIf-Range: \"1\"\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(origin_.last_request("/a").find("Range"), std::string::npos);
  const PlainResponse same = get("/a", "If-None-Match: \"1\"\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("ETag"), "\"1\"");
  EXPECT_EQ(get("/a", "Range: bytes=20-\r\n").status, 416);
  const PlainResponse two = get("/a", "Range: bytes=0-1,-2\r\n");
  EXPECT_EQ(two.status, 206);
  EXPECT_EQ(two.header("Content-Type").substr(0, 31), "multipart/byteranges; boundary=");
  EXPECT_EQ(two.header("Content-Range"), "");
  EXPECT_EQ(two.header("X-Shown"), "1");
  EXPECT_NE(two.body.find("Content-Range: bytes 8-9/10\r\n\r\n89\r\n--"), std::string::npos) << two.body;
  EXPECT_EQ(get("/a", "Range: bytes=0-4,3-6\r\n").header("Content-Range"), "bytes 0-6/10");
  EXPECT_EQ(origin_.asked("/a"), 1);
}

TEST_F(SiteTest, OnlyIfCachedNeverAsksTheOrigin) {
  const PlainResponse response = get("/a", "Cache-Control: only-if-cached\r\n");
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(response.header("Reelway-Error"), "not_in_cache");
  EXPECT_EQ(origin_.asked("/a"), 0);
}

TEST_F(SiteTest, InterimAnswersGoToTheOneWhoAsked) {
  Script script = page("Cache-Control: max-age=60\r\n");
  script.interim = "HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n";
  origin_.script("/a", script);
  PlainClient client(edge_->port());
  client.send("GET /a HTTP/1.1\r\nHost: edge\r\n\r\n");
  const PlainResponse hints = client.receive_start();
  EXPECT_EQ(hints.status, 103);
  EXPECT_EQ(hints.header("Link"), "</x.css>; rel=preload");
  EXPECT_EQ(client.receive().body, "body");
  EXPECT_EQ(get("/a").status, 200);
  EXPECT_EQ(origin_.asked("/a"), 1);
}

TEST_F(SiteTest, TraceIsRefusedAndFilmsStayBehindTokens) {
  EXPECT_EQ(get("/a", {}, "TRACE").status, 405);
  EXPECT_EQ(get("/t/junk/film/v1/a.m4s").status, 403);
  EXPECT_EQ(origin_.asked("/a"), 0);
  EXPECT_EQ(origin_.asked("/t/junk/film/v1/a.m4s"), 0);
}

}  // namespace
}  // namespace reelway::edge
