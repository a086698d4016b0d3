// The origin is away for ten minutes, and for more than a day, of the house's clock: what plays goes on, what was
// refused stays refused, and when the origin is back every edge holds the same rentals as it does.

#include "tests/scenario/house.h"
#include "tests/support/film.h"
#include "tests/support/temporary_folder.h"

namespace reelway::scenario {
namespace {

class OriginAway : public ::testing::Test {
 protected:
  void SetUp() override {
    origin_.start();
    origin_.ingest("film", film());
    for (const char* name : {"edge-1", "edge-2"}) {
      edges_.push_back(std::make_unique<EdgeInHouse>(name, folder_.path(), origin_, clock_));
    }
    for (const auto& edge : edges_) ASSERT_TRUE(becomes([&] { return edge->ready(); }));
  }

  static std::string film() {
    const test::TempDir folder;
    const auto file = folder / "film.mp4";
    test::output_of(
        "ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=320x240:r=25:d=4 -f lavfi -i sine=d=4 -c:v libx264 "
        "-preset ultrafast -pix_fmt yuv420p -c:a aac " +
        file.string());
    return std::string(as_text(test::read_file(file)));
  }

  json order(const std::string& account) {
    return origin_.api("POST", "/v1/orders",
                       {{"account", account}, {"title", "film"}, {"kind", "rent"}, {"idempotency_key", account}});
  }
  // The path of the master playlist of a playback.
  std::string play(const std::string& account) {
    const json playback =
        origin_.api("POST", "/v1/playback", {{"account", account}, {"title", "film"}, {"device", "tv"}});
    EXPECT_TRUE(playback.contains("token")) << playback.dump();
    return "/t/" + playback.value("token", "") + "/film/v1/master.m3u8";
  }
  void revoke(const json& ordered) {
    const std::string id = ordered.at("entitlement");
    ASSERT_EQ(origin_.ask("POST", "/v1/entitlements/" + id + "/revoke", "{}").status, 200);
  }
  // Both edges hold what the origin holds.
  bool in_step() {
    const json fleet = origin_.api("GET", "/v1/edges");
    for (const auto& edge : edges_) {
      const json replica = edge->replica();
      if (replica["root"] != fleet["root"] || replica["records"] != fleet["records"]) return false;
      if (replica["staleness_ms"].is_null() || replica["staleness_ms"] > 5000) return false;
    }
    return true;
  }

  MovedClock clock_;
  origin::TemporaryFolder folder_;
  OriginInHouse origin_{folder_.path(), clock_};
  std::vector<std::unique_ptr<EdgeInHouse>> edges_;
};

TEST_F(OriginAway, TenMinutesChangeNothingForViewers) {
  order("ada");
  const std::string plays = play("ada");
  const json eve = order("eve");
  const std::string refused = play("eve");
  revoke(eve);
  for (const auto& edge : edges_) {
    EXPECT_EQ(edge->answer(plays), "200");
    EXPECT_TRUE(becomes([&] { return edge->answer(refused) == "entitlement_revoked"; }));
  }
  origin_.stop();
  for (int minute = 0; minute < 10; ++minute) {
    clock_.advance(std::chrono::minutes(1));
    for (const auto& edge : edges_) {
      EXPECT_EQ(edge->answer(plays), "200");
      EXPECT_EQ(edge->answer(refused), "entitlement_revoked");
    }
  }
  for (const auto& edge : edges_) EXPECT_GE(edge->replica()["staleness_ms"], 600'000);
  origin_.start();
  const json bob = order("bob");
  EXPECT_TRUE(bob.contains("entitlement")) << bob.dump();
  EXPECT_TRUE(becomes([this] { return in_step(); }));
  for (const auto& edge : edges_) {
    EXPECT_EQ(edge->answer(plays), "200");
    EXPECT_EQ(edge->answer(refused), "entitlement_revoked");
    EXPECT_EQ(edge->replica()["repairs"], 0);
    EXPECT_EQ(edge->replica()["snapshots"], 1);
  }
}

TEST_F(OriginAway, ARentalEndsInItsTimeAlsoWhenNobodyTellsTheEdge) {
  order("ada");
  const std::string plays = play("ada");
  for (const auto& edge : edges_) EXPECT_EQ(edge->answer(plays), "200");
  origin_.stop();
  clock_.advance(std::chrono::hours(23));
  for (const auto& edge : edges_) EXPECT_EQ(edge->answer(plays), "200");
  clock_.advance(std::chrono::hours(2));
  for (const auto& edge : edges_) EXPECT_NE(edge->answer(plays), "200");
  origin_.start();
  // The rental has 23 hours left: a new playback goes on.
  EXPECT_TRUE(becomes([this] { return in_step(); }));
  const std::string again = play("ada");
  for (const auto& edge : edges_) EXPECT_EQ(edge->answer(again), "200");
  // The token ends with its rental, so either may be what is said.
  clock_.advance(std::chrono::hours(23));
  for (const auto& edge : edges_) {
    const std::string said = edge->answer(again);
    EXPECT_TRUE(said == "token_expired" || said == "rental_play_time_passed") << said;
  }
}

}  // namespace
}  // namespace reelway::scenario
