#include "edge/request/edge_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/unit/edge/request/edge_under_test.h"

// A whole edge but for its admin port: real ring, real store in a temporary folder, a scripted origin.

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

std::string body_of(std::size_t size, unsigned seed = 1) {
  std::string body(size, '\0');
  for (char& c : body) c = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return body;
}

class EdgeServerTest : public EdgeTest {
 protected:
  void SetUp() override { start(); }

  void script(const std::string& resource, Script script) { origin_.script("/film/v1/" + resource, std::move(script)); }
  int asked(const std::string& resource) { return origin_.asked("/film/v1/" + resource); }
  std::string url(const std::string& resource, const std::string& title = "film") {
    return "/t/" + keys_.token("film") + "/" + title + "/v1/" + resource;
  }
  PlainResponse get(const std::string& resource, const std::string& headers = {}, const std::string& method = "GET") {
    return PlainClient(edge_->port()).get(url(resource), headers, method);
  }
  void wait_until_readers(int count) {
    wait_for([count](EdgeServer& server) {
      const auto& store = server.store().counters();
      return store.follows + server.fills().counters().fetches >= static_cast<std::uint64_t>(count);
    });
  }
};

TEST_F(EdgeServerTest, AMissIsFetchedOnceAndThenAHit) {
  const std::string body = body_of(300'000);
  script("a.m4s", {.body = body});
  const PlainResponse miss = get("a.m4s");
  EXPECT_EQ(miss.status, 200);
  EXPECT_EQ(miss.body, body);
  EXPECT_EQ(miss.header("Cache-Status"), "edge-a; fwd=miss; stored");
  clock_.advance_s(7);
  const PlainResponse hit = get("a.m4s");
  EXPECT_EQ(hit.body, body);
  EXPECT_EQ(hit.header("Cache-Status"), "edge-a; hit; detail=memory");
  EXPECT_EQ(hit.header("Age"), "7");
  EXPECT_EQ(hit.header("Cache-Control"), "private, max-age=3593");
  EXPECT_EQ(hit.header("Content-Type"), "video/mp4");
  EXPECT_EQ(hit.header("ETag"), "\"e1\"");
  EXPECT_EQ(hit.header("Via"), "1.1 edge-a");
  EXPECT_EQ(hit.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(asked("a.m4s"), 1);
  const std::string request = origin_.last_request("/film/v1/a.m4s");
  EXPECT_NE(request.find("\r\nReelway-Edge: edge-a\r\n"), std::string::npos);
  EXPECT_NE(request.find("\r\nAuthorization: Bearer edge-secret-for-tests\r\n"), std::string::npos);
}

TEST_F(EdgeServerTest, ARestartedEdgeServesFromDiskWhileTheOriginIsDown) {
  const std::string body = body_of(3'000'000);
  script("a.m4s", {.body = body});
  EXPECT_EQ(get("a.m4s").body, body);
  restart();
  const PlainResponse hit = get("a.m4s");
  EXPECT_EQ(hit.body, body);
  EXPECT_EQ(hit.header("Cache-Status"), "edge-a; hit; detail=disk");
  EXPECT_EQ(get("a.m4s").header("Cache-Status"), "edge-a; hit; detail=memory");
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(EdgeServerTest, TheLastKnownKeysOutliveARestartWithoutAnOrigin) {
  const std::string body = body_of(1000);
  script("a.m4s", {.body = body});
  EXPECT_EQ(get("a.m4s").status, 200);
  edge_.reset();
  config_.upstreams.front().port = 1;  // nothing listens there
  start();
  EXPECT_EQ(get("a.m4s").body, body);
  const PlainResponse miss = get("b.m4s");
  EXPECT_EQ(miss.status, 502);
  EXPECT_EQ(miss.header("Reelway-Error"), "upstream_unreachable");
}

TEST_F(EdgeServerTest, AHundredClientsShareOneFetchAndReadAlong) {
  constexpr int kClients = 100;
  const std::string body = body_of(2'500'000);
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body, .bytes_before_gate = 1'200'000, .gate = gate});
  const std::string target = url("a.m4s");
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET " + target + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  std::vector<PlainResponse> responses;
  // The first bytes come although the origin holds back the rest.
  for (auto& client : clients) responses.push_back(client->receive_start(1000));
  EXPECT_EQ(asked("a.m4s"), 1);
  gate->open();
  int collapsed = 0;
  for (int i = 0; i < kClients; ++i) {
    clients[i]->receive_rest(responses[i]);
    EXPECT_TRUE(responses[i].body == body);
    if (responses[i].header("Cache-Status") == "edge-a; fwd=miss; collapsed") ++collapsed;
  }
  EXPECT_EQ(collapsed, kClients - 1);
  EXPECT_EQ(asked("a.m4s"), 1);
  // One signature check served them all.
  const auto tokens = edge_->on_ring([](EdgeServer& server) { return server.tokens().counters(); });
  EXPECT_EQ(tokens.verified, 1u);
}

TEST_F(EdgeServerTest, WaitersOfAFailedFetchAllGetItsError) {
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.status = 500, .headers = "Reelway-Error: io_failed\r\n", .body = "x", .before_head = gate});
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  wait_until_readers(10);
  gate->open();
  for (auto& client : clients) {
    const PlainResponse response = client->receive();
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(response.header("Reelway-Error"), "upstream_failed");
  }
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(EdgeServerTest, AFetchGoesOnWhenItsClientLeaves) {
  const std::string body = body_of(2'000'000);
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body, .bytes_before_gate = 500'000, .gate = gate});
  {
    PlainClient client(edge_->port());
    client.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
    client.receive_start(1000);
  }
  gate->open();
  wait_for([](EdgeServer& server) { return server.store().counters().fills_completed == 1; });
  EXPECT_EQ(get("a.m4s").body, body);
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(EdgeServerTest, ADamagedSmallBodyIsRefusedAndNotStored) {
  script("a.m4s", {.body = body_of(10'000), .wrong_digest = true});
  const PlainResponse response = get("a.m4s");
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.header("Reelway-Error"), "upstream_corrupt");
  script("a.m4s", {.body = body_of(10'000)});
  EXPECT_EQ(get("a.m4s").body, body_of(10'000));
  EXPECT_EQ(asked("a.m4s"), 2);
}

TEST_F(EdgeServerTest, ADamagedLargeBodyIsNeverCompleted) {
  script("a.m4s", {.body = body_of(3'000'000), .wrong_digest = true});
  PlainClient client(edge_->port());
  const PlainResponse response = client.get(url("a.m4s"));
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.whole);
  EXPECT_TRUE(client.reset());
  const auto counters = edge_->on_ring([](EdgeServer& server) { return server.store().counters(); });
  EXPECT_EQ(counters.memory_objects, 0u);
}

TEST_F(EdgeServerTest, AShortBodyIsNeverCompletedNorStored) {
  script("small.m4s", {.body = body_of(5'000), .announced_more = 1});
  const PlainResponse small = get("small.m4s");
  EXPECT_EQ(small.status, 502);
  EXPECT_EQ(small.header("Reelway-Error"), "upstream_truncated");
  script("large.m4s", {.body = body_of(2'000'000), .announced_more = 100'000});
  EXPECT_FALSE(get("large.m4s").whole);
  script("large.m4s", {.body = body_of(2'000'000)});
  EXPECT_EQ(get("large.m4s").body, body_of(2'000'000));
}

TEST_F(EdgeServerTest, SeveralRangesComeAsParts) {
  const std::string body = body_of(2'000'000);
  script("a.m4s", {.body = body});
  EXPECT_EQ(get("a.m4s").body, body);
  const PlainResponse parts = get("a.m4s", "Range: bytes=1900000-,0-9,100000-1299999\r\n");
  EXPECT_EQ(parts.status, 206);
  const std::string type = parts.header("Content-Type");
  const std::string line = "--" + type.substr(type.find('=') + 1);
  std::string expected;
  for (const auto& [first, count] : {std::pair(1'900'000, 100'000), {0, 10}, {100'000, 1'200'000}}) {
    expected += (expected.empty() ? "" : "\r\n") + line + "\r\nContent-Type: video/mp4\r\nContent-Range: bytes " +
                std::to_string(first) + "-" + std::to_string(first + count - 1) + "/2000000\r\n\r\n" +
                body.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }
  EXPECT_TRUE(parts.body == expected + "\r\n" + line + "--\r\n");
  EXPECT_EQ(get("a.m4s", "Range: bytes=0-9,20-29\r\nIf-Range: \"other\"\r\n").status, 200);
}

TEST_F(EdgeServerTest, RangesHeadAndConditionalRequests) {
  const std::string body = body_of(2'000'000);
  script("a.m4s", {.body = body});
  const PlainResponse cold = get("a.m4s", "Range: bytes=1500000-1500009\r\n");
  EXPECT_EQ(cold.status, 206);
  EXPECT_EQ(cold.body, body.substr(1'500'000, 10));
  EXPECT_EQ(cold.header("Content-Range"), "bytes 1500000-1500009/2000000");
  EXPECT_EQ(get("a.m4s", "Range: bytes=-5\r\n").body, body.substr(body.size() - 5));
  const PlainResponse across = get("a.m4s", "Range: bytes=1000000-1100000\r\n");
  EXPECT_EQ(across.body, body.substr(1'000'000, 100'001));
  const PlainResponse outside = get("a.m4s", "Range: bytes=2000000-\r\n");
  EXPECT_EQ(outside.status, 416);
  EXPECT_EQ(outside.header("Content-Range"), "bytes */2000000");
  EXPECT_EQ(get("a.m4s", "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n").status, 200);
  const PlainResponse head = get("a.m4s", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "2000000");
  const PlainResponse unchanged = get("a.m4s", "If-None-Match: \"x\", W/\"e1\"\r\n");
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.header("ETag"), "\"e1\"");
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(EdgeServerTest, ColdHeadAndColdConditionalRequests) {
  script("a.m4s", {.body = body_of(1'000'000)});
  EXPECT_EQ(get("a.m4s", {}, "HEAD").header("Content-Length"), "1000000");
  script("b.m4s", {.body = body_of(1'000'000)});
  EXPECT_EQ(get("b.m4s", "If-None-Match: \"e1\"\r\n").status, 304);
  EXPECT_EQ(get("a.m4s").body, body_of(1'000'000));
  EXPECT_EQ(get("b.m4s").body, body_of(1'000'000));
  EXPECT_EQ(asked("a.m4s"), 1);
  EXPECT_EQ(asked("b.m4s"), 1);
}

TEST_F(EdgeServerTest, CorsIsAnsweredForListedOriginsOnly) {
  script("a.m4s", {.body = "x"});
  const PlainResponse listed = get("a.m4s", "Origin: https://player.example\r\n");
  EXPECT_EQ(listed.header("Access-Control-Allow-Origin"), "https://player.example");
  EXPECT_EQ(listed.header("Vary"), "Origin");
  const PlainResponse other = get("a.m4s", "Origin: https://other.example\r\n");
  EXPECT_EQ(other.header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(other.header("Cache-Status"), "edge-a; hit; detail=memory");
  PlainClient client(edge_->port());
  const PlainResponse error = client.get("/t/bad/film/v1/x", "Origin: https://player.example\r\n");
  EXPECT_EQ(error.status, 403);
  EXPECT_EQ(error.header("Access-Control-Allow-Origin"), "https://player.example");
  const PlainResponse preflight = client.get(
      "/t/bad/film/v1/x", "Origin: https://player.example\r\nAccess-Control-Request-Method: GET\r\n", "OPTIONS");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Methods"), "GET, HEAD, POST");
  EXPECT_EQ(preflight.header("Access-Control-Max-Age"), "86400");
}

TEST_F(EdgeServerTest, EveryRefusalOfATokenHasItsCode) {
  const auto code = [&](const std::string& path) {
    const PlainResponse response = PlainClient(edge_->port()).get(path);
    EXPECT_EQ(response.status, 403);
    return response.header("Reelway-Error");
  };
  const auto with = [](const std::string& token, const std::string& title = "film") {
    return "/t/" + token + "/" + title + "/v1/a.m4s";
  };
  const std::string good = keys_.token("film");
  EXPECT_EQ(code("/film/v1/a.m4s"), "token_missing");
  EXPECT_EQ(code(with("AAAA")), "token_malformed");
  EXPECT_EQ(code(with(good, "other")), "token_other_title");
  EXPECT_EQ(code(with(keys_.token({1, kStartS - 9, kStartS, {}, "film", {}, {}}))), "token_expired");
  EXPECT_EQ(code(with(keys_.token({1, kStartS + 1, kStartS + 9, {}, "film", {}, {}}))), "token_not_yet_valid");
  std::string forged = good;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code(with(forged)), "token_signature_bad");
  keys_.make_unpublished(9);
  EXPECT_EQ(code(with(keys_.token("film", 9))), "token_key_unknown");
}

TEST_F(EdgeServerTest, ATokenOfANewKeyWaitsForTheNextPoll) {
  script("a.m4s", {.body = "x"});
  EXPECT_EQ(get("a.m4s").status, 200);
  keys_.make_unpublished(2);
  keys_.announce(2);
  EXPECT_EQ(PlainClient(edge_->port()).get("/t/" + keys_.token("film", 2) + "/film/v1/a.m4s").status, 200);
}

TEST_F(EdgeServerTest, ARetiredKeyEndsRememberedTokens) {
  script("a.m4s", {.body = "x"});
  keys_.add(2);
  const std::string path = "/t/" + keys_.token("film", 2) + "/film/v1/a.m4s";
  PlainClient client(edge_->port());
  EXPECT_EQ(client.get(path).status, 200);
  EXPECT_EQ(client.get(path).status, 200);
  keys_.retire(2);
  wait_for([](EdgeServer& server) {
    const auto* key = server.tokens().keys().find(2);
    return key != nullptr && key->state == KeyState::retired;
  });
  const PlainResponse refused = client.get(path);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("Reelway-Error"), "token_key_retired");
}

TEST_F(EdgeServerTest, UpstreamErrorsBecomeThisEdgesCodesAndAreNotStored) {
  EXPECT_EQ(get("none.m4s").header("Reelway-Error"), "http_not_found");
  EXPECT_EQ(get("none.m4s").status, 404);
  EXPECT_EQ(asked("none.m4s"), 2);
  script("v.m4s", {.status = 404, .headers = "Reelway-Error: version_not_found\r\n", .body = "{}"});
  EXPECT_EQ(get("v.m4s").header("Reelway-Error"), "version_not_found");
  script("f.m4s", {.status = 403, .headers = "Reelway-Error: not_an_edge\r\n", .body = "{}"});
  const PlainResponse refused = get("f.m4s");
  EXPECT_EQ(refused.status, 502);
  EXPECT_EQ(refused.header("Reelway-Error"), "upstream_failed");
  EXPECT_NE(refused.body.find("403 not_an_edge"), std::string::npos);
  EXPECT_EQ(refused.header("Cache-Status"), "edge-a; fwd=miss");
}

TEST_F(EdgeServerTest, WhatMayNotBeStoredIsFetchedEachTime) {
  script("a.m4s", {.headers = "Cache-Control: no-store\r\n", .body = body_of(100'000)});
  EXPECT_EQ(get("a.m4s").header("Cache-Status"), "edge-a; fwd=miss");
  EXPECT_EQ(get("a.m4s").body, body_of(100'000));
  EXPECT_EQ(asked("a.m4s"), 2);
}

TEST_F(EdgeServerTest, AnAnswerOfUnknownLengthIsPassedOnInChunks) {
  const std::string body = body_of(500'000);
  script("a.m4s", {.body = body, .with_length = false});
  const PlainResponse chunked = get("a.m4s");
  EXPECT_EQ(chunked.header("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(chunked.whole);
  EXPECT_EQ(chunked.body, body);
  EXPECT_EQ(get("a.m4s").header("Content-Length"), "500000");
  script("b.m4s", {.body = body, .with_length = false, .wrong_digest = true});
  EXPECT_FALSE(get("b.m4s").whole);
  script("c.m4s", {.body = body, .with_length = false});
  PlainClient old(edge_->port());
  old.send("GET " + url("c.m4s") + " HTTP/1.0\r\n\r\n");
  const PlainResponse closed = old.receive();
  EXPECT_TRUE(closed.whole);
  EXPECT_EQ(closed.body, body);
  EXPECT_EQ(closed.header("Connection"), "close");
}

TEST_F(EdgeServerTest, PipelinedRequestsAreAnsweredInOrder) {
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i) + ".m4s";
    script(name, {.body = body_of(1000 + i, i)});
    requests += "GET " + url(name) + " HTTP/1.1\r\nHost: e\r\n\r\n";
  }
  PlainClient client(edge_->port());
  client.send(requests);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.receive().body, body_of(1000 + i, i));
}

TEST_F(EdgeServerTest, AClientThatClosesItsSendingSideStillGetsItsAnswer) {
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body_of(100'000), .before_head = gate});
  PlainClient client(edge_->port());
  client.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  client.shut_sending();
  wait_until_readers(1);
  gate->open();
  const PlainResponse response = client.receive();
  EXPECT_EQ(response.body, body_of(100'000));
  EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(EdgeServerTest, MalformedAndForbiddenRequests) {
  PlainClient malformed(edge_->port());
  malformed.send("GET / HTTP/1.1\r\nHost: e\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(malformed.receive().status, 400);
  EXPECT_TRUE(malformed.closed_by_peer());
  PlainClient large(edge_->port());
  large.send("GET / HTTP/1.1\r\nHost: e\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(large.receive().status, 431);
  const PlainResponse post = get("a.m4s", "Content-Length: 0\r\n", "POST");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(EdgeServerTest, AnUpstreamThatClosedItsIdleConnectionsIsAskedAgain) {
  script("a.m4s", {.body = "a"});
  script("b.m4s", {.body = "b"});
  EXPECT_EQ(get("a.m4s").status, 200);
  for (int i = 0; i < 50; ++i) {
    const std::string name = std::to_string(i);
    script(name, {.body = name});
    origin_.close_connections();
    EXPECT_EQ(get(name).body, name);
  }
}

TEST_F(EdgeServerTest, AnUpstreamThatAnswersTooLateGivesTimedOut) {
  config_.upstream_first_byte_timeout = std::chrono::milliseconds(50);
  restart();
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = "x", .before_head = gate});
  const PlainResponse late = get("a.m4s");
  gate->open();
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.header("Reelway-Error"), "timed_out");
}

TEST_F(EdgeServerTest, ABodyThatStandsStillIsCut) {
  config_.upstream_idle_timeout = std::chrono::milliseconds(50);
  restart();
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body_of(1'000'000), .bytes_before_gate = 500'000, .gate = gate});
  const PlainResponse cut = get("a.m4s");
  gate->open();
  EXPECT_EQ(cut.status, 200);
  EXPECT_FALSE(cut.whole);
}

TEST_F(EdgeServerTest, OneConnectionTooManyIsToldSo) {
  config_.connections_max = 2;
  restart();
  script("a.m4s", {.body = "x"});
  PlainClient first(edge_->port());
  PlainClient second(edge_->port());
  EXPECT_EQ(first.get(url("a.m4s")).status, 200);
  EXPECT_EQ(second.get(url("a.m4s")).status, 200);
  PlainClient third(edge_->port());
  const PlainResponse refused = third.receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Reelway-Error"), "overloaded");
  EXPECT_EQ(first.get(url("a.m4s")).status, 200);
}

TEST_F(EdgeServerTest, ADrainFinishesRunningAnswersAndClosesIdleConnections) {
  const std::string body = body_of(1'000'000);
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body, .bytes_before_gate = 500'000, .gate = gate});
  PlainClient idle(edge_->port());
  EXPECT_EQ(idle.get("/").status, 403);
  PlainClient busy(edge_->port());
  busy.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  PlainResponse response = busy.receive_start(1000);
  edge_->begin_drain();
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_TRUE(PlainClient::is_refused(edge_->port()));
  gate->open();
  busy.receive_rest(response);
  EXPECT_EQ(response.body, body);
  EXPECT_TRUE(busy.closed_by_peer());
  edge_.reset();
}

TEST_F(EdgeServerTest, ADrainCutsWhatDoesNotFinishInTime) {
  config_.drain_timeout = std::chrono::milliseconds(200);
  restart();
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body_of(1'000'000), .bytes_before_gate = 500'000, .gate = gate});
  PlainClient busy(edge_->port());
  busy.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  PlainResponse response = busy.receive_start(1000);
  edge_.reset();
  busy.receive_rest(response);
  EXPECT_FALSE(response.whole);
  gate->open();
}

TEST_F(EdgeServerTest, ASlowClientDoesNotSlowTheFill) {
  const std::string body = body_of(20'000'000);
  script("a.m4s", {.body = body});
  PlainClient slow(edge_->port());
  slow.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  PlainResponse response = slow.receive_start();
  wait_for([](EdgeServer& server) { return server.store().counters().fills_completed == 1; });
  EXPECT_TRUE(get("a.m4s").body == body);
  slow.receive_rest(response);
  EXPECT_TRUE(response.body == body);
}

TEST_F(EdgeServerTest, AClientThatTakesNothingIsClosed) {
  config_.idle_timeout = std::chrono::milliseconds(300);
  restart();
  script("a.m4s", {.body = body_of(20'000'000)});
  PlainClient stuck(edge_->port());
  stuck.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  wait_for([](EdgeServer& server) { return server.listener().client_counters().stalled_answers == 1; });
  EXPECT_FALSE(stuck.receive().whole);
}

TEST_F(EdgeServerTest, TheAccessLogHasALinePerRequestWithoutTheToken) {
  config_.access_log = folder_.at("access.log");
  restart();
  script("a.m4s", {.body = "xyz"});
  EXPECT_EQ(get("a.m4s").status, 200);
  EXPECT_EQ(get("b.m4s?q=\"").status, 404);
  edge_.reset();
  std::ifstream in(config_.access_log);
  std::string first;
  std::string second;
  std::getline(in, first);
  std::getline(in, second);
  EXPECT_NE(first.find(R"("path":"/t/-/film/v1/a.m4s","status":200,"bytes":3)"), std::string::npos) << first;
  EXPECT_NE(second.find(R"("status":404)"), std::string::npos) << second;
  EXPECT_NE(second.find(R"("error":"http_not_found")"), std::string::npos) << second;
}

}  // namespace
}  // namespace reelway::edge
