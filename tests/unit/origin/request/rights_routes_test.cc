#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "common/access/token.h"
#include "origin/catalog/records.h"
#include "origin/fleet/beat.h"
#include "origin/request/origin_server.h"
#include "tests/support/loop_thread.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/temporary_folder.h"

// Rights through the API of a whole origin, whose catalogue was written beforehand.

namespace reelway::origin {
namespace {

using nlohmann::json;
using reelway::testing::LoopThread;
using reelway::testing::RawHttpClient;

const std::string kCredential(24, 'c');

class RightsRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    {
      auto store = open_rocksdb_store_in(folder_.at("data"));
      TitleRecord film;
      film.state = TitleState::published;
      film.current_version = "v3";
      VersionRecord version;
      version.title = "film";
      version.version = "v3";
      version.state = VersionState::published;
      Txn txn;
      txn.then_operations = {Operation::put(title_key("film"), to_json(film)),
                             Operation::put(version_key("film", "v3"), to_json(version)),
                             Operation::put(title_key("coming"), to_json(TitleRecord{}))};
      ASSERT_TRUE(store->txn(txn).ok());
    }
    start();
  }
  void TearDown() override { stop(); }

  static std::unique_ptr<ControlStore> open_rocksdb_store_in(const std::string& data_dir) {
    std::filesystem::create_directories(data_dir);
    return open_rocksdb_store(data_dir + "/store").value();
  }

  void start() {
    thread_ = std::make_unique<LoopThread>();
    thread_->call([this] {
      OriginConfig config;
      config.data_dir = folder_.at("data");
      config.api_listen = config.media_listen = {"127.0.0.1", 0};
      config.api_credential = kCredential;
      config.edges = EdgeCredentials::parse("edge-1 " + std::string(24, 'e'), "edges").value();
      config.seal_secret = std::string(32, 's');
      config.public_edges = {"http://127.0.0.1:8090"};
      config.transcode.sandbox.required = false;
      auto started = OriginServer::start(thread_->loop(), std::move(config), clock_, random_);
      ASSERT_TRUE(started.ok()) << describe(started.error());
      server_ = std::move(started).value();
      api_ = server_->api_address();
    });
  }
  void stop() {
    std::promise<void> drained;
    thread_->call([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    thread_->call([this] { server_.reset(); });
    thread_.reset();
  }

  RawHttpClient::Answer ask(const std::string& method, const std::string& path, const std::string& body) const {
    return RawHttpClient(api_).ask(method + " " + path + " HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer " +
                                   kCredential + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                                   body);
  }
  json post(const std::string& path, const json& body) const {
    return json::parse(ask("POST", path, body.dump()).body);
  }
  json get(const std::string& path) const { return json::parse(ask("GET", path, "").body); }
  static std::string code(const json& answer) {
    return answer.contains("error") ? answer["error"].value("code", "") : "ok";
  }
  static json rental(const std::string& account, const std::string& key) {
    return {{"account", account}, {"title", "film"}, {"kind", "rent"}, {"idempotency_key", key}};
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<OriginServer> server_;
  std::string api_;
};

TEST_F(RightsRoutesTest, OrderIsMadeOnceAndSurvivesARestart) {
  const std::string body = rental("ann@example.org", "k1").dump();
  const auto first = ask("POST", "/v1/orders", body);
  EXPECT_EQ(first.status, 201);
  stop();
  start();
  const auto again = ask("POST", "/v1/orders", body);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  const std::string id = json::parse(first.body)["entitlement"];
  EXPECT_EQ(get("/v1/entitlements/" + id)["standing"], "unstarted");
  for (const char* path :
       {"/v1/accounts/ann@example.org/entitlements", "/v1/accounts/ann%40example.org/entitlements"}) {
    EXPECT_EQ(get(path)["entitlements"][0]["entitlement"], id) << path;
  }
}

TEST_F(RightsRoutesTest, RefusalsHaveTheirStatusAndCode) {
  const auto refused = [&](json body) {
    const auto answer = ask("POST", "/v1/orders", body.dump());
    return std::to_string(answer.status) + " " + code(json::parse(answer.body));
  };
  EXPECT_EQ(refused(rental("ann", "k1")), "201 ok");
  EXPECT_EQ(refused(rental("ann", "k2")), "409 already_entitled");
  json other = rental("ann", "k1");
  other["kind"] = "buy";
  EXPECT_EQ(refused(other), "409 idempotency_key_reused");
  other["kind"] = "steal";
  EXPECT_EQ(refused(other), "400 http_bad_request");
  other = rental("bob", "k1");
  other["title"] = "coming";
  EXPECT_EQ(refused(other), "409 title_not_published");
  other["title"] = "nothing";
  EXPECT_EQ(refused(other), "404 title_not_found");
  EXPECT_EQ(code(get("/v1/accounts/bob/entitlements")), "account_not_found");
  EXPECT_EQ(code(get("/v1/accounts/b%2Fb/entitlements")), "account_id_invalid");
  EXPECT_EQ(code(get("/v1/accounts/b%zz/entitlements")), "account_id_invalid");
  EXPECT_EQ(code(get("/v1/entitlements/none")), "entitlement_not_found");
  EXPECT_EQ(code(post("/v1/playback", {{"account", "bob"}, {"title", "film"}, {"device", "tv"}})),
            "entitlement_missing");
  EXPECT_EQ(
      code(post("/v1/playback", {{"account", "ann"}, {"title", "film"}, {"device", "tv"}, {"edges", {"ftp://x"}}})),
      "http_bad_request");
}

TEST_F(RightsRoutesTest, OfferRentPlayRevoke) {
  const json offer = post("/v1/offers", {{"name", "sd"}, {"max_height", 480}, {"languages", {"en", "de", "en"}}});
  EXPECT_EQ(offer["title"], "-");
  EXPECT_EQ(offer["languages"], json({"de", "en"}));
  EXPECT_EQ(offer["play_window_s"], 48 * 3600);
  EXPECT_EQ(code(post("/v1/offers", {{"name", "sd"}, {"max_height", -1}})), "http_bad_request");
  const json many = post("/v1/offers", {{"name", "sd"}, {"streams_max", 70'000}});
  EXPECT_EQ(code(many), "http_bad_request");
  EXPECT_NE(many.dump().find("streams_max: expected 1 to 256, found: 70000"), std::string::npos) << many;
  EXPECT_EQ(code(post("/v1/offers", {{"name", "sd"}, {"languages", "de"}})), "http_bad_request");
  EXPECT_EQ(get("/v1/offers")["offers"].size(), 2u);

  json order = rental("ann", "k1");
  order["offer"] = "sd";
  const std::string id = post("/v1/orders", order)["entitlement"];
  const json play = post("/v1/playback", {{"account", "ann"}, {"title", "film"}, {"device", "the tv"}});
  ASSERT_EQ(code(play), "ok") << play;
  EXPECT_EQ(play["entitlement"], id);
  const std::string token = play["token"];
  EXPECT_EQ(play["master_url"], "http://127.0.0.1:8090/t/" + token + "/film/v3/master.m3u8");
  EXPECT_EQ(play["heartbeat_url"], "http://127.0.0.1:8090/t/" + token + "/film/heartbeat");
  EXPECT_EQ(play["heartbeat_s"], 60);
  EXPECT_EQ(play["view_until_s"].get<std::int64_t>() - play["first_play_s"].get<std::int64_t>(), 48 * 3600);
  const auto parsed = access::parse_token(token);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->token.view.max_height, 480);
  EXPECT_EQ(parsed->token.expires_s, play["expires_at_s"]);
  EXPECT_EQ(get("/v1/accounts/ann/entitlements")["sessions"][0]["device"], "the tv");

  EXPECT_EQ(code(post("/v1/entitlements/" + id + "/revoke", {{"state", "active"}})), "http_bad_request");
  EXPECT_EQ(code(post("/v1/entitlements/" + id + "/revoke", {{"reason", std::string(501, 'r')}})), "http_bad_request");
  const auto revoked = ask("POST", "/v1/entitlements/" + id + "/revoke", "");
  EXPECT_EQ(revoked.status, 200);
  EXPECT_EQ(json::parse(revoked.body)["standing"], "ended:entitlement_revoked");
  const json again = post("/v1/entitlements/" + id + "/revoke", {{"state", "refunded"}});
  EXPECT_EQ(again["state"], "revoked");
  EXPECT_EQ(again["already_ended"], true);
  EXPECT_EQ(code(post("/v1/playback", {{"account", "ann"}, {"title", "film"}, {"device", "tv"}})),
            "entitlement_revoked");
}

// Edges judge tokens by the origin's time, which may be ahead of the machine's clock.
TEST_F(RightsRoutesTest, PlayUrlsAreSignedByTheOriginsTime) {
  stop();
  const std::int64_t ahead_s = clock_.wall_s() + 100 * 86'400;
  {
    auto store = open_rocksdb_store_in(folder_.at("data"));
    Txn txn;
    txn.then_operations = {Operation::put(std::string(kBeatKey), to_json(Beat{ahead_s * 1000, 1'000'000}))};
    ASSERT_TRUE(store->txn(txn).ok());
  }
  start();
  const json play = post("/v1/play-urls", {{"title", "film"}, {"ttl_s", 60}});
  ASSERT_EQ(code(play), "ok") << play;
  const auto parsed = access::parse_token(play.value("token", ""));
  ASSERT_TRUE(parsed.ok());
  EXPECT_GE(parsed->token.not_before_s, ahead_s - 60);
}

}  // namespace
}  // namespace reelway::origin
