#include "edge/admin/admin_port.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "edge/admin/metrics.h"
#include "tests/unit/edge/request/edge_under_test.h"

namespace reelway::edge {
namespace {

using Json = nlohmann::json;
using testing::FakeOrigin;
using testing::PlainClient;
using testing::PlainResponse;

const std::string kCredential = "Authorization: Bearer admin-credential-for-tests\r\n";

class AdminPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    origin_.script("/film/v1/a.m4s", {.body = "abc"});
    edge_.on_ring([this](EdgeServer&) {
      admin_ = std::move(AdminPort::open(edge_.ring(), clock_, edge_.rings(), [this] { drain(); })).value();
      admin_->start();
      const std::string address = admin_->address_text();
      port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
      return true;
    });
    edge_.wait_until_ready();
    EXPECT_EQ(fetch().status, 200);
    while (!edge_.on_ring([](EdgeServer& server) { return server.replica().state().client.beats_matched > 0; })) {
      std::this_thread::yield();
    }
  }
  void TearDown() override {
    if (!draining_) edge_.on_ring([this](EdgeServer&) { return drain(), true; });
    edge_.join();
    admin_.reset();
  }
  void drain() {
    draining_ = true;
    edge_.rings().drain([this] { admin_->close([this] { edge_.ring().stop(); }); });
  }

  PlainResponse fetch() { return PlainClient(edge_.port()).get("/t/" + keys_.token("film") + "/film/v1/a.m4s"); }
  PlainResponse ask(const std::string& path, const std::string& method = "GET",
                    const std::string& headers = kCredential) {
    return PlainClient(port_).get(path, headers, method);
  }
  Json explain(const std::string& target) { return Json::parse(ask("/v1/explain?target=" + target).body); }

  TestClock clock_;
  FakeOrigin origin_;
  TestKeys keys_{origin_};
  TestRights rights_{origin_};
  reelway::origin::TemporaryFolder folder_;
  RunningEdge edge_{test_config(origin_, folder_.path()), clock_};
  std::unique_ptr<AdminPort> admin_;
  std::uint16_t port_ = 0;
  bool draining_ = false;
};

TEST_F(AdminPortTest, NothingIsToldWithoutTheCredential) {
  for (const char* path : {"/metrics", "/v1/state", "/v1/ready", "/v1/explain?target=/", "/nothing"}) {
    const PlainResponse missing = ask(path, "GET", "");
    EXPECT_EQ(missing.status, 401);
    EXPECT_EQ(missing.header("Reelway-Error"), "credential_missing");
    EXPECT_EQ(ask(path, "GET", "Authorization: Basic eDp5\r\n").header("Reelway-Error"), "credential_missing");
    const PlainResponse wrong = ask(path, "GET", "Authorization: Bearer admin-credential-for-testz\r\n");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.header("Reelway-Error"), "credential_wrong");
  }
  EXPECT_EQ(ask("/v1/drain", "POST", "").status, 401);
  EXPECT_EQ(ask("/nothing").status, 404);
  EXPECT_EQ(ask("/v1/drain").header("Allow"), "POST");
}

TEST_F(AdminPortTest, MetricsNameEveryRow) {
  const PlainResponse page = ask("/metrics");
  EXPECT_EQ(page.status, 200);
  for (const telemetry::MetricInfo& info : edge_metrics()) {
    if (info.name == "reelway_edge_errors_total" || info.name == "reelway_edge_access_log_dropped_total") continue;
    EXPECT_NE(page.body.find("# TYPE " + std::string(info.name) + " "), std::string::npos) << info.name;
  }
  EXPECT_NE(page.body.find("reelway_edge_requests_total{cache=\"miss\"} 1\n"), std::string::npos);
  EXPECT_NE(page.body.find("reelway_edge_body_bytes_total 3\n"), std::string::npos);
}

TEST_F(AdminPortTest, StateAndReady) {
  const Json state = Json::parse(ask("/v1/state").body);
  EXPECT_EQ(state["edge_id"], "edge-a");
  EXPECT_EQ(state["draining"], false);
  EXPECT_EQ(state["keys"]["1"], "active");
  EXPECT_EQ(state["upstream"]["fetches"], 1);
  EXPECT_EQ(state["store"]["memory"]["objects"], 1);
  EXPECT_EQ(ask("/v1/ready").status, 200);
}

TEST_F(AdminPortTest, ExplainTellsWhatWouldHappen) {
  const std::string token = keys_.token("film");
  const Json hit = explain("http%3A%2F%2F127.0.0.1%3A8090%2Ft%2F" + token + "%2Ffilm%2Fv1%2Fa.m4s");
  EXPECT_EQ(hit["would"], "hit");
  EXPECT_EQ(hit["tier"], "memory");
  EXPECT_EQ(hit["cache_key"], "/film/v1/a.m4s|all");
  EXPECT_EQ(hit["object"]["length"], 3);
  EXPECT_EQ(hit["object"]["etag"], "\"e1\"");
  EXPECT_EQ(hit["target"], "/t/-/film/v1/a.m4s");
  ASSERT_EQ(hit["steps"].size(), 7u);
  EXPECT_EQ(hit["steps"][3]["step"], "title");
  EXPECT_EQ(hit["steps"][4]["step"], "rental");
  EXPECT_EQ(hit["steps"][1]["verdict"], "ok");
  EXPECT_EQ(explain("/t/" + token + "/film/v1/b.m4s")["would"], "miss");
  EXPECT_EQ(origin_.asked("/film/v1/b.m4s"), 0);
  const Json other = explain("/t/" + token + "/other/v1/a.m4s");
  EXPECT_EQ(other["would"], "403 token_other_title");
  EXPECT_EQ(other["steps"][1]["code"], "token_other_title");
  EXPECT_EQ(other["steps"].size(), 2u);  // nothing is looked up for who is refused
  EXPECT_EQ(explain("/nothing")["steps"][0]["code"], "token_missing");
  EXPECT_EQ(explain("%2Ft%2F%ff%2Ffilm")["steps"].size(), 1u);
  EXPECT_EQ(ask("/v1/explain").status, 400);
  EXPECT_EQ(ask("/v1/explain?target=%zz").status, 400);
  // A stale copy would be fetched anew.
  clock_.advance_s(3600 - 1);
  EXPECT_EQ(explain("/t/" + token + "/film/v1/a.m4s")["would"], "hit");
}

TEST_F(AdminPortTest, ExplainJudgesViewAndRental) {
  const access::EntitlementClaim claim{{9}, 5};
  const auto target = [&](access::View view, const std::string& resource) {
    return "/t/" + keys_.token(access::Token{1, kStartS - 10, kStartS + 60, {}, "film", claim, view}) + "/film/v1/" +
           resource;
  };
  rights_.tell_none({9});
  const Json unknown = explain(target({}, "a.m4s"));
  EXPECT_EQ(unknown["would"], "403 rental_unknown");
  rights_.tell({{9}, 13, rights::ordered(rights::Kind::purchase, {}, kStartS)});
  const Json outside = explain(target({480, {}}, "video/720/0.m4s"));
  EXPECT_EQ(outside["steps"][2]["code"], "rendition_not_in_offer");
  EXPECT_EQ(explain(target({480, {}}, "master.m3u8"))["cache_key"], "/film/v1/master.m3u8|h480|gzip");
  EXPECT_EQ(explain(target({480, {}}, "video/480/0.m4s"))["cache_key"], "/film/v1/video/480/0.m4s|all");
}

TEST_F(AdminPortTest, DrainEndsTheEdge) {
  PlainClient admin(port_);
  const PlainResponse answer = admin.get("/v1/drain", kCredential + "Content-Length: 0\r\n", "POST");
  EXPECT_EQ(answer.status, 202);
  EXPECT_TRUE(admin.closed_by_peer());
  edge_.join();
}

}  // namespace
}  // namespace reelway::edge
