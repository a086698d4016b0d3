#include <gtest/gtest.h>

#include "edge/net/continued_fetches.h"
#include "tests/unit/edge/request/edge_under_test.h"

// A whole edge before origins that are slow, that break off or that are gone.

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

class UpstreamTroubleTest : public ::testing::Test {
 protected:
  static constexpr const char* kPath = "/film/v1/a.m4s";

  void start() {
    edge_ = std::make_unique<RunningEdge>(config_, clock_);
    edge_->wait_until_ready();
  }
  std::unique_ptr<PlainClient> ask() {
    auto client = std::make_unique<PlainClient>(edge_->port());
    client->send("GET /t/" + keys_.token("film") + kPath + " HTTP/1.1\r\nHost: e\r\n\r\n");
    return client;
  }
  // The first answer announces the whole body and breaks off after `bytes` of it; `then` answers what comes after.
  void break_off_after(std::size_t bytes, Script then) {
    const auto gate = std::make_shared<Latch>();
    Script broken;
    broken.raw = "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nETag: \"e1\"\r\nContent-Length: " +
                 std::to_string(body_.size()) + "\r\n\r\n" + body_.substr(0, bytes);
    broken.before_head = gate;
    broken.close_after = true;
    origin_.script(kPath, broken);
    client_ = ask();
    origin_.wait_until_asked(kPath, 1);
    origin_.script(kPath, std::move(then));
    gate->open();
  }

  TestClock clock_;
  FakeOrigin origin_;
  TestKeys keys_{origin_};
  TestRights rights_{origin_};
  reelway::origin::TemporaryFolder folder_;
  EdgeConfig config_ = test_config(origin_, folder_.path());
  std::string body_ = [] {
    std::string body(300'000, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
    return body;
  }();
  std::unique_ptr<RunningEdge> edge_;
  std::unique_ptr<PlainClient> client_;
};

TEST_F(UpstreamTroubleTest, TwoHundredClientsGetTheFirstDropOfADripAndTheOriginOneRequest) {
  constexpr int kClients = 200;
  start();
  const auto gate = std::make_shared<Latch>();
  origin_.script(kPath, {.body = body_, .bytes_before_gate = 10, .gate = gate});
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(ask());
  std::vector<PlainResponse> responses;
  for (auto& client : clients) responses.push_back(client->receive_start(1));
  EXPECT_EQ(origin_.asked(kPath), 1);
  for (const PlainResponse& response : responses) {
    EXPECT_EQ(response.status, 200);
    EXPECT_LE(response.body.size(), 10u);
  }
  gate->open();
  for (int i = 0; i < kClients; ++i) {
    clients[i]->receive_rest(responses[i]);
    EXPECT_TRUE(responses[i].body == body_);
  }
  EXPECT_EQ(origin_.asked(kPath), 1);
}

TEST_F(UpstreamTroubleTest, ABodyThatBreaksOffIsContinuedAtTheByteReached) {
  start();
  break_off_after(150'000, {.body = body_});
  const PlainResponse response = client_->receive();
  EXPECT_TRUE(response.whole);
  EXPECT_TRUE(response.body == body_);
  EXPECT_EQ(origin_.asked(kPath), 2);
  EXPECT_NE(origin_.last_request(kPath).find("Range: bytes=150000-\r\nIf-Range: \"e1\"\r\n"), std::string::npos);
  EXPECT_EQ(edge_->on_ring([](EdgeServer& server) { return server.upstreams().continuations().completed; }), 1u);
  EXPECT_TRUE(ask()->receive().body == body_);
  EXPECT_EQ(origin_.asked(kPath), 2);
}

TEST_F(UpstreamTroubleTest, WhatHasChangedMeanwhileIsNeverMixed) {
  start();
  Script changed{.body = std::string(300'000, 'x')};
  changed.headers = "Cache-Control: max-age=3600\r\nETag: \"e2\"\r\n";
  break_off_after(150'000, changed);
  const PlainResponse response = client_->receive();
  EXPECT_FALSE(response.whole);
  EXPECT_EQ(body_.compare(0, response.body.size(), response.body), 0);
  EXPECT_TRUE(ask()->receive().body == changed.body);
}

TEST_F(UpstreamTroubleTest, AnotherUpstreamServesWhileTheFirstIsGone) {
  config_.upstreams.insert(config_.upstreams.begin(), UpstreamUrl{.host = "127.0.0.1", .port = 1});  // nobody listens
  config_.upstreams.back().priority = 2;
  start();
  origin_.script(kPath, {.body = body_});
  EXPECT_TRUE(ask()->receive().body == body_);
  const auto retries =
      edge_->on_ring([](EdgeServer& server) { return server.upstreams().film_group().counters().retries; });
  EXPECT_EQ(retries, 1u);
}

}  // namespace
}  // namespace reelway::edge
