#include <gtest/gtest.h>

#include "tests/unit/edge/request/edge_under_test.h"

// A film's object that is stored and no longer fresh: real ring, real store in a temporary folder, a scripted origin.

namespace reelway::edge {
namespace {

using testing::FakeOrigin;
using testing::Latch;
using testing::PlainClient;
using testing::PlainResponse;
using testing::Script;

class StaleFilmTest : public EdgeTest {
 protected:
  void SetUp() override { start(); }
  void script(const std::string& resource, Script script) { origin_.script("/film/v1/" + resource, std::move(script)); }
  int asked(const std::string& resource) { return origin_.asked("/film/v1/" + resource); }
  std::string url(const std::string& resource) { return "/t/" + keys_.token("film") + "/film/v1/" + resource; }
  PlainResponse get(const std::string& resource) { return PlainClient(edge_->port()).get(url(resource)); }
};

TEST_F(StaleFilmTest, ThatMayNotBeStoredIsPassedOnAndAskedForEachTime) {
  script("video/720/key", {.headers = "Cache-Control: no-store\r\n", .body = "0123456789abcdef"});
  for (int round = 1; round <= 2; ++round) {
    const PlainResponse key = get("video/720/key");
    EXPECT_EQ(key.body, "0123456789abcdef");
    EXPECT_EQ(key.header("Cache-Control"), "no-store");
    EXPECT_EQ(asked("video/720/key"), round);
  }
}

TEST_F(StaleFilmTest, IsFetchedAnewWithoutAnEntityTag) {
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\n", .body = "old"});
  EXPECT_EQ(get("a.m4s").body, "old");
  clock_.advance_s(59);
  EXPECT_EQ(get("a.m4s").body, "old");
  clock_.advance_s(1);
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\n", .body = "new"});
  const PlainResponse fresh = get("a.m4s");
  EXPECT_EQ(fresh.body, "new");
  EXPECT_EQ(fresh.header("Cache-Status"), "edge-a; fwd=stale; stored");
  restart();
  clock_.advance_s(61);
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\n", .body = "newest"});
  EXPECT_EQ(get("a.m4s").body, "newest");
  EXPECT_EQ(get("a.m4s").header("Cache-Status"), "edge-a; hit; detail=memory");
}

TEST_F(StaleFilmTest, ThatIsStillGoodIsValidatedOnlyInBothTiers) {
  const std::string body = std::string(300'000, 'b');
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .body = body});
  EXPECT_EQ(get("a.m4s").body, body);
  Script still_good{.status = 304, .headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n"};
  script("a.m4s", still_good);
  for (const bool from_disk : {false, true}) {
    clock_.advance_s(61);
    if (from_disk) restart();
    const PlainResponse validated = get("a.m4s");
    EXPECT_EQ(validated.status, 200);
    EXPECT_EQ(validated.body, body);
    EXPECT_EQ(validated.header("Cache-Status"), "edge-a; fwd=stale; fwd-status=304; stored");
    EXPECT_EQ(validated.header("Age"), "0");
    EXPECT_NE(origin_.last_request("/film/v1/a.m4s").find("\r\nIf-None-Match: \"e1\"\r\n"), std::string::npos);
    EXPECT_EQ(get("a.m4s").header("Cache-Status"), "edge-a; hit; detail=memory");
  }
  EXPECT_EQ(asked("a.m4s"), 3);
  restart();
  EXPECT_EQ(get("a.m4s").header("Cache-Status"), "edge-a; hit; detail=disk") << "it is fresh on disk, too";
}

TEST_F(StaleFilmTest, IsAskedAboutOnceHoweverManyMeetIt) {
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .body = "body"});
  EXPECT_EQ(get("a.m4s").body, "body");
  clock_.advance_s(61);
  const auto gate = std::make_shared<Latch>();
  script("a.m4s", {.status = 304, .headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .before_head = gate});
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<PlainClient>(edge_->port()));
    clients.back()->send("GET " + url("a.m4s") + " HTTP/1.1\r\nHost: e\r\n\r\n");
  }
  wait_for([](EdgeServer& server) { return server.store().counters().follows == 9; });
  gate->open();
  for (auto& client : clients) EXPECT_EQ(client->receive().body, "body");
  EXPECT_EQ(asked("a.m4s"), 2);
}

TEST_F(StaleFilmTest, ANotModifiedAboutAnotherBodyIsFollowedByOneFetchOfTheWhole) {
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .body = "old"});
  EXPECT_EQ(get("a.m4s").body, "old");
  clock_.advance_s(61);
  Script other{.status = 304, .headers = "Cache-Control: max-age=60\r\nETag: \"e2\"\r\n"};
  other.then =
      std::make_shared<Script>(Script{.headers = "Cache-Control: max-age=60\r\nETag: \"e2\"\r\n", .body = "new"});
  script("a.m4s", other);
  const PlainResponse whole = get("a.m4s");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "new");
  EXPECT_EQ(whole.header("Cache-Status"), "edge-a; fwd=stale; stored");
  EXPECT_EQ(origin_.last_request("/film/v1/a.m4s").find("If-None-Match"), std::string::npos);
  EXPECT_EQ(get("a.m4s").body, "new");
  EXPECT_EQ(asked("a.m4s"), 3);
}

TEST_F(StaleFilmTest, ThatTheOriginNoLongerHasIsDropped) {
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .body = "old"});
  EXPECT_EQ(get("a.m4s").body, "old");
  clock_.advance_s(61);
  script("a.m4s", {.status = 404, .headers = "Reelway-Error: version_not_found\r\n", .body = "{}"});
  EXPECT_EQ(get("a.m4s").status, 404);
  EXPECT_EQ(edge_->on_ring([](EdgeServer& server) { return server.store().counters().memory_objects; }), 0u);
}

TEST_F(StaleFilmTest, OutlivesAnOriginThatFails) {
  script("a.m4s", {.headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n", .body = "old"});
  EXPECT_EQ(get("a.m4s").body, "old");
  clock_.advance_s(61);
  script("a.m4s", {.status = 500, .headers = {}, .body = "{}"});
  EXPECT_EQ(get("a.m4s").status, 502);
  script("a.m4s", {.status = 304, .headers = "Cache-Control: max-age=60\r\nETag: \"e1\"\r\n"});
  EXPECT_EQ(get("a.m4s").body, "old");
}

}  // namespace
}  // namespace reelway::edge
