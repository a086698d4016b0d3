// An edge of several rings: a whole edge, real rings, and an origin that counts what it is asked. Connections come to
// the rings by chance, so each case uses enough of them that all rings are met.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "edge/request/ring_shares.h"
#include "tests/unit/edge/request/edge_under_test.h"

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

constexpr std::size_t kRings = 3;
constexpr int kConnections = 24;  // the chance that a ring gets none of them is 1 in 16,000
constexpr rights::EntitlementId kRented{1};

std::string body_of(std::size_t size, unsigned seed) {
  std::string body(size, '\0');
  for (char& c : body) c = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return body;
}

class RingsTest : public EdgeTest {
 protected:
  RingsTest() {
    config_.rings = kRings;
    config_.store_memory_bytes = kRings * (64 << 20);
    rights_.publish({{kRented, 5, active_rental()}});
  }
  void SetUp() override { start(); }

  void start() {
    edge_ = std::make_unique<RunningEdge>(config_, clock_);
    while (!edge_->on_ring([](EdgeServer& server) { return server.ready(); })) std::this_thread::yield();
  }
  void restart() {
    edge_.reset();
    start();
  }
  template <class Reader>
  auto sum(Reader reader) {
    decltype(reader(std::declval<EdgeServer&>())) total{};
    std::promise<void> visited;
    edge_->ring().post([&] {
      edge_->rings().visit([&](EdgeServer& server) { total += reader(server); }, [&] { visited.set_value(); });
    });
    visited.get_future().get();
    return total;
  }
  using Clients = std::vector<std::unique_ptr<PlainClient>>;
  static std::vector<PlainResponse> begin_all(Clients& clients, std::size_t at_least) {
    std::vector<PlainResponse> answers;
    for (const auto& client : clients) {
      answers.push_back(client->receive_start(at_least));
      EXPECT_EQ(answers.back().status, 200);
    }
    return answers;
  }
  template <class Reader>
  void wait_for(Reader is_so) {
    while (!is_so()) std::this_thread::yield();
  }
  std::string url(const std::string& resource) { return "/t/" + keys_.token("film") + "/film/v1/" + resource; }
  std::string rented_url(const std::string& resource) {
    const access::Token token{1, kStartS - 10, kStartS + 3600, {7}, "film", access::EntitlementClaim{kRented, 5}, {}};
    return "/t/" + keys_.token(token) + "/film/v1/" + resource;
  }
  PlainResponse get(const std::string& path) { return PlainClient(edge_->port()).get(path); }
  void script(const std::string& resource, Script script) { origin_.script("/film/v1/" + resource, std::move(script)); }
  int asked(const std::string& resource) { return origin_.asked("/film/v1/" + resource); }
  Result<PurgeResult> purge(const PurgeRequest& request) {
    std::promise<Result<PurgeResult>> outcome;
    edge_->ring().post([&] {
      edge_->rings().purge(request, [&](Result<PurgeResult> result) { outcome.set_value(std::move(result)); });
    });
    return outcome.get_future().get();
  }
};

TEST_F(RingsTest, EachObjectIsFetchedOnceAndServedWhoeverHasTheConnection) {
  constexpr int kObjects = 12;
  for (int i = 0; i < kObjects; ++i) {
    script(std::to_string(i) + ".m4s", {.body = body_of(1000 + 150'000 * static_cast<std::size_t>(i), 7)});
  }
  for (int connection = 0; connection < kConnections; ++connection) {
    PlainClient client(edge_->port());  // all of them over one connection
    for (int i = 0; i < kObjects; ++i) {
      const PlainResponse answer = client.get(url(std::to_string(i) + ".m4s"));
      ASSERT_EQ(answer.status, 200);
      ASSERT_EQ(answer.body, body_of(1000 + 150'000 * static_cast<std::size_t>(i), 7)) << i;
    }
  }
  for (int i = 0; i < kObjects; ++i) EXPECT_EQ(asked(std::to_string(i) + ".m4s"), 1);
  EXPECT_GT(sum([](EdgeServer& server) { return server.handed().begun(); }), 0u);
  EXPECT_EQ(sum([](EdgeServer& server) { return server.counters().by_status_class[2]; }),
            static_cast<std::uint64_t>(kConnections * kObjects));
  std::size_t rings_with_objects = 0;
  sum([&](EdgeServer& server) { return rings_with_objects += server.store().counters().memory_objects > 0 ? 1 : 0; });
  EXPECT_EQ(rings_with_objects, kRings);
}

TEST_F(RingsTest, OneFetchForTheClientsOfAllRings) {
  const std::string body = body_of(2'000'000, 3);
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body, .bytes_before_gate = 1'000'000, .gate = gate});
  Clients clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  std::vector<PlainResponse> answers = begin_all(clients, 500'000);
  gate->open();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i]->receive_rest(answers[i]);
    EXPECT_EQ(answers[i].body, body);
  }
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(RingsTest, ARevokedRentalIsRefusedByAllRingsAndItsAnswersAreCut) {
  const auto change = rights_.follow({rights::EventsFrame{10, 11, {{kRented, revoked_rental()}}}});
  restart();
  const auto gate = std::make_shared<Latch>();
  script("slow.m4s", {.body = body_of(600'000, 5), .bytes_before_gate = 300'000, .gate = gate});
  script("a.m4s", {.body = body_of(1000, 6)});
  Clients clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    EXPECT_EQ(clients.back()->get(rented_url("a.m4s")).status, 200);
    clients.back()->send("GET " + rented_url("slow.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  std::vector<PlainResponse> answers = begin_all(clients, 100'000);
  change->open();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i]->receive_rest(answers[i]);
    EXPECT_FALSE(answers[i].whole);
  }
  gate->open();
  for (int i = 0; i < kConnections; ++i) {
    EXPECT_EQ(get(rented_url("a.m4s")).header("Reelway-Error"), "entitlement_revoked");
  }
  EXPECT_EQ(sum([](EdgeServer& server) { return server.counters().rental_cuts; }),
            static_cast<std::uint64_t>(kConnections));
}

TEST_F(RingsTest, ARetiredKeyIsRefusedByAllRings) {
  script("a.m4s", {.body = "x"});
  const std::string path = url("a.m4s");
  for (int i = 0; i < kConnections; ++i) EXPECT_EQ(get(path).status, 200);
  keys_.retire(1);
  wait_for([&] {
    return sum([](EdgeServer& server) {
             const auto* key = server.tokens().keys().find(1);
             return key != nullptr && key->state == KeyState::retired ? 1u : 0u;
           }) == kRings;
  });
  for (int i = 0; i < kConnections; ++i) EXPECT_EQ(get(path).header("Reelway-Error"), "token_key_retired");
}

TEST_F(RingsTest, AKeyThatIsNewIsPolledForWhicheverRingMeetsIt) {
  script("a.m4s", {.body = "x"});
  for (access::KeyId kid = 2; kid < 10; ++kid) {
    keys_.add(kid);
    EXPECT_EQ(get("/t/" + keys_.token("film", kid) + "/film/v1/a.m4s").status, 200);
  }
}

TEST_F(RingsTest, AnAddressHasOneBudgetOfBadSignaturesAtAllRings) {
  edge_.reset();
  config_.token_failures_burst = 10;
  config_.token_failures_per_minute = 1;
  start();
  script("a.m4s", {.body = "x"});
  std::uint64_t bad = 0;
  for (int i = 0; i < 60; ++i) {
    std::string forged = keys_.token({1, kStartS - 10, kStartS + 100 + i, {}, "film", {}, {}});
    forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
    const PlainResponse answer = get("/t/" + forged + "/film/v1/a.m4s");
    if (answer.status == 403) ++bad;
    sum([](EdgeServer&) { return 0; });  // behind the messages by which the rings tell each other
  }
  EXPECT_EQ(bad, 10u);
}

TEST_F(RingsTest, APurgeIsInEffectOnAllRingsWhenItIsAnswered) {
  constexpr int kObjects = 12;
  for (int i = 0; i < kObjects; ++i) script(std::to_string(i), {.body = "old"});
  for (int i = 0; i < kObjects; ++i) EXPECT_EQ(get(url(std::to_string(i))).body, "old");
  for (int i = 0; i < kObjects; ++i) script(std::to_string(i), {.body = "new"});
  const auto purged = purge({PurgeRequest::Kind::prefix, "/film/v1/", false});
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->objects, static_cast<std::uint64_t>(kObjects));
  EXPECT_EQ(purged->keys.size(), static_cast<std::size_t>(kObjects));
  for (int i = 0; i < kObjects; ++i) EXPECT_EQ(get(url(std::to_string(i))).body, "new");
}

TEST_F(RingsTest, ARestartFindsEverythingWhereItWas) {
  constexpr int kObjects = 12;
  for (int i = 0; i < kObjects; ++i) script(std::to_string(i), {.body = body_of(200'000, 9)});
  for (int i = 0; i < kObjects; ++i) EXPECT_EQ(get(url(std::to_string(i))).body, body_of(200'000, 9));
  edge_.reset();
  config_.rings = 0;  // the store says
  start();
  EXPECT_EQ(edge_->rings().size(), kRings);
  for (int i = 0; i < kObjects; ++i) {
    const PlainResponse answer = get(url(std::to_string(i)));
    EXPECT_EQ(answer.body, body_of(200'000, 9));
    EXPECT_EQ(answer.header("Cache-Status"), "edge-a; hit; detail=disk");
    EXPECT_EQ(asked(std::to_string(i)), 1);
  }
}

TEST_F(RingsTest, ClientsThatLeaveLeaveNothingBehind) {
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.body = body_of(3'000'000, 4), .bytes_before_gate = 1'500'000, .gate = gate});
  for (int i = 0; i < kConnections; ++i) {
    PlainClient client(edge_->port());
    client.send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
    EXPECT_EQ(client.receive_start(100'000).status, 200);
  }
  wait_for([&] { return sum([](EdgeServer& server) { return server.handed().running(); }) == 0; });
  gate->open();
  EXPECT_EQ(get(url("a.m4s")).body, body_of(3'000'000, 4));
  EXPECT_EQ(asked("a.m4s"), 1);
}

TEST_F(RingsTest, ADrainFinishesWhatOtherRingsAnswer) {
  const auto gate = std::make_shared<Latch>();
  const std::string body = body_of(1'000'000, 4);
  script("a.m4s", {.body = body, .bytes_before_gate = 500'000, .gate = gate});
  Clients clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  std::vector<PlainResponse> answers = begin_all(clients, 100'000);
  edge_->begin_drain();
  wait_for([&] { return sum([](EdgeServer& server) { return server.draining() ? 1u : 0u; }) == kRings; });
  gate->open();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i]->receive_rest(answers[i]);
    EXPECT_EQ(answers[i].body, body);
  }
  edge_->join();
}

TEST_F(RingsTest, TheLimitOfConnectionsIsThatOfAllRings) {
  edge_.reset();
  config_.connections_max = 5;
  start();
  script("a.m4s", {.body = "x"});
  Clients clients;
  int served = 0;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    served += clients.back()->get(url("a.m4s")).status == 200 ? 1 : 0;
  }
  EXPECT_EQ(served, 5);
}

TEST_F(RingsTest, ASecondEdgeFindsTheAddressTaken) {
  EdgeConfig second = config_;
  second.store_directory += "/second";
  second.public_listen.port = edge_->port();
  auto ring = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  const auto made = EdgeRings::create(*ring, clock_, clock_, second);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::port_in_use);
}

TEST_F(RingsTest, AnotherNumberThanTheStoresIsRefusedWithTheRemedy) {
  edge_.reset();
  config_.rings = 2;
  const auto refused = rings_of(config_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::config_value_invalid);
  EXPECT_NE(refused.error().detail.find("was made for 3"), std::string::npos);
  EXPECT_NE(refused.error().detail.find("Set rings to 3"), std::string::npos);
}

TEST(RingShares, ANoteThatIsNoNumberIsAnErrorThatNamesTheFile) {
  const reelway::origin::TemporaryFolder folder;
  EdgeConfig config;
  config.store_directory = folder.path();
  std::ofstream(config.store_directory + "/rings") << "three\n";
  const auto refused = rings_of(config);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().detail.find("/rings:1:"), std::string::npos);
}

TEST(RingShares, EachHasItsPart) {
  EdgeConfig config;
  config.store_directory = "/s";
  config.store_memory_bytes = 400;
  config.store_disk_bytes = 4000;
  config.store_further_disks = {{"/d", 800}};
  config.upstream_connections_max = 10;
  const EdgeConfig share = share_of(config, 3, 4);
  EXPECT_EQ(share.store_bodies_directory, "/s/ring-3");
  EXPECT_EQ(share.store_directory, "/s");
  EXPECT_EQ(share.store_memory_bytes, 100u);
  EXPECT_EQ(share.store_disk_bytes, 1000u);
  EXPECT_EQ(share.store_further_disks.front().directory, "/d/ring-3");
  EXPECT_EQ(share.store_further_disks.front().bytes, 200u);
  EXPECT_EQ(share.upstream_connections_max, 3u);
  EXPECT_EQ(share_of(config, 0, 1).store_bodies_directory, "");
}

}  // namespace
}  // namespace reelway::edge
