#include "origin/rights/playback.h"

#include <set>

#include "common/base/encoding.h"
#include "origin/rights/offers.h"
#include "origin/rights/sessions.h"
#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

using Fault = InterferingStore::Fault;

class PlaybackTest : public RightsTest {
 protected:
  void offer_streams(std::uint32_t streams) {
    rights::Terms terms;
    terms.streams_max = streams;
    ASSERT_TRUE(save_offer(*services_, {"-", "standard", terms}).ok());
  }
  Result<nlohmann::json> beat(const Playback& playback, std::optional<std::int64_t> position_s = {},
                              bool ended = false) {
    return heartbeat(*services_, {playback.session, rights::id_text(playback.entitlement.id),
                                  playback.entitlement.title, position_s, ended});
  }
  static access::Token token_of(const std::string& text) { return access::parse_token(text).value().token; }
};

TEST_F(PlaybackTest, FirstPlayStartsTheClock) {
  const std::string id = rent("ann");
  clock_.pass(kDay);
  const auto playback = play("ann", "tv");
  ASSERT_TRUE(playback.ok()) << describe(playback.error());
  EXPECT_EQ(playback->entitlement.record.first_play_s, kNow + kDay);
  EXPECT_EQ(playback->entitlement.record.view_until_s, kNow + kDay + 48 * kHour);
  EXPECT_EQ(stored(id).record, playback->entitlement.record);
  EXPECT_EQ(playback->resume_s, 0);
  const std::string& token = playback->play_url.token;
  EXPECT_EQ(playback->play_url.urls.front(), "http://edge-1/t/" + token + "/film/v1/master.m3u8");
  EXPECT_EQ(playback->heartbeat_urls.front(), "http://edge-1/t/" + token + "/film/heartbeat");
}

TEST_F(PlaybackTest, TokenNamesSessionAndEntitlementAndEndsWithIt) {
  rights::Terms terms;
  terms.max_height = 480;
  terms.languages = {"de", "en"};
  ASSERT_TRUE(save_offer(*services_, {"-", "standard", terms}).ok());
  const std::string id = rent("ann");
  const auto first = play("ann", "tv");
  ASSERT_TRUE(first.ok()) << describe(first.error());
  const access::Token token = token_of(first->play_url.token);
  EXPECT_EQ(hex(token.session), first->session);
  EXPECT_EQ(rights::id_text(token.entitlement->id), id);
  EXPECT_EQ(token.entitlement->revision, store_->get(std::string(kEntitlementPrefix) + id).value()->mod_revision);
  EXPECT_EQ(access::view_id(token.view), "h480.de.en");
  EXPECT_EQ(token.not_before_s, kNow - 60);
  EXPECT_EQ(token.expires_s, kNow + 24 * kHour);

  clock_.pass(47 * kHour);
  const auto last = play("ann", "tv");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(token_of(last->play_url.token).expires_s, kNow + 48 * kHour);
  EXPECT_EQ(token_of(last->play_url.token).entitlement->revision, token.entitlement->revision);
}

TEST_F(PlaybackTest, EveryDenialHasItsCode) {
  EXPECT_EQ(code(play("ann", "tv")), "entitlement_missing");
  EXPECT_EQ(code(play("ann", "tv", "nothing")), "title_not_found");
  EXPECT_EQ(code(play("a/b", "tv")), "account_id_invalid");
  EXPECT_EQ(code(play("ann", "")), "http_bad_request");
  EXPECT_EQ(code(play("ann", "a\nb")), "http_bad_request");
  EXPECT_EQ(code(play("ann", "Fernseher im B\u00fcro")), "entitlement_missing");
  EXPECT_EQ(code(play("ann", std::string(129, 'd'))), "http_bad_request");
  rent("ann");
  EXPECT_EQ(code(play("bob", "tv")), "entitlement_missing");
  rent("late");
  const std::string revoked = rent("sued");
  ASSERT_TRUE(revoke_entitlement(*services_, {revoked, rights::State::charged_back, "bank"}).ok());
  EXPECT_EQ(code(play("sued", "tv")), "entitlement_revoked");
  ASSERT_TRUE(play("ann", "tv").ok());
  clock_.pass(48 * kHour - 1);
  EXPECT_EQ(code(play("ann", "tv")), "ok");
  clock_.pass(1);
  EXPECT_EQ(code(play("ann", "tv")), "rental_play_time_passed");
  clock_.pass(30 * kDay);
  EXPECT_EQ(code(play("late", "tv")), "rental_window_passed");
}

TEST_F(PlaybackTest, TwoHundredDevicesAtOnceShareOneClockAndTheLimitHolds) {
  for (const std::uint32_t limit : {2u, 64u, 200u}) {
    offer_streams(limit);
    const std::string account = "ann" + std::to_string(limit);
    const std::string id = rent(account);
    std::vector<std::optional<Playback>> played(200);
    std::atomic<std::uint32_t> refused{0};
    at_once(200, [&](int i) {
      auto playback = play(account, "device-" + std::to_string(i));
      if (playback.ok()) {
        played[static_cast<std::size_t>(i)] = std::move(playback).value();
      } else if (playback.error().code == ErrorCode::stream_limit_reached) {
        ++refused;
      } else {
        ADD_FAILURE() << describe(playback.error());
      }
    });
    const rights::Record record = stored(id).record;
    EXPECT_EQ(record.first_play_s, kNow);
    std::set<std::string> sessions;
    for (const auto& playback : played) {
      if (!playback) continue;
      sessions.insert(playback->session);
      EXPECT_EQ(playback->entitlement.record, record);
    }
    EXPECT_EQ(sessions.size(), limit);
    EXPECT_EQ(refused, 200 - limit);
  }
}

TEST_F(PlaybackTest, ClockIsStartedOnceThoughTimePassesBetweenTheDevices) {
  rent("ann");
  // Another device begins, a minute later, just before this one's transaction.
  bool once = true;
  store_->before_txn = [&] {
    if (!std::exchange(once, false)) return;
    clock_.pass(60);
    EXPECT_TRUE(play("ann", "phone").ok());
  };
  const auto tv = play("ann", "tv");
  ASSERT_TRUE(tv.ok()) << describe(tv.error());
  EXPECT_EQ(tv->entitlement.record.first_play_s, kNow + 60);
}

TEST_F(PlaybackTest, DeniedDeviceStartsNoClock) {
  publish("other");
  offer_streams(1);
  const std::string id = rent("ann");
  OrderRequest other = order_of("ann");
  other.title = "other";
  ASSERT_TRUE(place_order(*services_, other).ok());
  ASSERT_TRUE(play("ann", "tv", "other").ok());
  const auto denied = play("ann", "phone");
  EXPECT_EQ(code(denied), "stream_limit_reached");
  EXPECT_EQ(denied.error().detail, "1 of 1 streams play: tv");
  EXPECT_EQ(stored(id).record.first_play_s, 0);
  // The device itself may go on to another film.
  EXPECT_EQ(code(play("ann", "tv")), "ok");
  EXPECT_EQ(code(play("ann", "phone")), "stream_limit_reached");
}

TEST_F(PlaybackTest, ThousandPressesHoldOneSlotAndWriteOnce) {
  rent("ann");
  const auto first = play("ann", "tv");
  ASSERT_TRUE(first.ok());
  const Revision revision = store_->status()->revision;
  for (int i = 0; i < 1000; ++i) {
    const auto again = play("ann", "tv");
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(again->session, first->session);
  }
  EXPECT_EQ(store_->status()->revision, revision);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions").size(), 1u);
  EXPECT_EQ(code(play("ann", "phone")), "ok");
  EXPECT_EQ(code(play("ann", "pad")), "stream_limit_reached");
}

TEST_F(PlaybackTest, CrashedDevicesSlotIsFreeAfter150Seconds) {
  rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  const auto phone = play("ann", "phone");
  ASSERT_TRUE(phone.ok());
  clock_.pass(60);
  ASSERT_TRUE(beat(*phone).ok());
  clock_.pass(89);
  EXPECT_EQ(code(play("ann", "pad")), "stream_limit_reached");
  clock_.pass(1);
  EXPECT_EQ(code(play("ann", "pad")), "ok");
  EXPECT_EQ(code(play("ann", "tv")), "stream_limit_reached");
}

TEST_F(PlaybackTest, ClockSetBackBringsNoRentalBack) {
  rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  clock_.pass(48 * kHour);
  EXPECT_EQ(code(play("ann", "tv")), "rental_play_time_passed");
  clock_.set_wall(kNow);
  EXPECT_EQ(code(play("ann", "tv")), "rental_play_time_passed");
  // Nor after a restart, which knows the time of the last beat.
  OriginTime restarted(clock_);
  EXPECT_EQ(restarted.now_s(), kNow);
  restarted.observe((kNow + 48 * kHour) * 1000);
  const RightsServices after{*store_, *catalog_, *keys_, restarted, random_, turns_, services_->options, nullptr};
  EXPECT_EQ(code(start_playback(after, {"ann", "film", "tv", {}})), "rental_play_time_passed");
}

TEST_F(PlaybackTest, UnknownOutcomeStartsOneClockAndTakesOneSlot) {
  rent("ann");
  bool once = true;
  store_->next_fault = [&] { return std::exchange(once, false) ? Fault::unknown_applied : Fault::none; };
  const auto playback = play("ann", "tv");
  ASSERT_TRUE(playback.ok()) << describe(playback.error());
  EXPECT_EQ(playback->entitlement.record.first_play_s, kNow);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions").at(0).at("session"), playback->session);
  EXPECT_EQ(code(play("ann", "phone")), "ok");
}

TEST_F(PlaybackTest, RevocationBetweenIsNoticed) {
  const std::string id = rent("ann");
  bool once = true;
  store_->before_txn = [&] {
    if (!std::exchange(once, false)) return;
    EXPECT_TRUE(revoke_entitlement(*services_, {id, rights::State::revoked, ""}).ok());
  };
  EXPECT_EQ(code(play("ann", "tv")), "entitlement_revoked");
  EXPECT_EQ(stored(id).record.first_play_s, 0);
}

TEST_F(PlaybackTest, EdgesComeFromTheRequestElseTheHealthyOnesElseTheConfiguration) {
  rent("ann");
  EXPECT_TRUE(play("ann", "tv")->play_url.urls.front().starts_with("http://edge-1/t/"));
  services_->healthy_edges = [] { return std::vector<std::string>{"http://near", "http://far"}; };
  const auto healthy = play("ann", "tv");
  EXPECT_TRUE(healthy->play_url.urls.at(1).starts_with("http://far/t/"));
  EXPECT_EQ(healthy->heartbeat_urls.size(), 2u);
  const auto asked = start_playback(*services_, {"ann", "film", "tv", {"http://asked"}});
  EXPECT_TRUE(asked->play_url.urls.front().starts_with("http://asked/t/"));
}

TEST_F(PlaybackTest, HeartbeatRenewsSlotAndTokenAndKeepsThePosition) {
  rent("ann");
  const auto playback = play("ann", "tv");
  ASSERT_TRUE(playback.ok());
  for (int minute = 1; minute <= 10; ++minute) {
    clock_.pass(60);
    const auto renewed = beat(*playback, minute * 60);
    ASSERT_TRUE(renewed.ok()) << describe(renewed.error());
    const access::Token token = token_of(renewed->at("token"));
    EXPECT_EQ(hex(token.session), playback->session);
    EXPECT_EQ(token.expires_s, clock_.wall_s() + 24 * kHour);
    EXPECT_EQ(renewed->at("path"), "/t/" + renewed->value("token", "") + "/film/v1/master.m3u8");
    EXPECT_EQ(renewed->at("heartbeat_path"), "/t/" + renewed->value("token", "") + "/film/heartbeat");
    EXPECT_EQ(renewed->at("next_s"), 60);
    EXPECT_EQ(renewed->at("view_until_s"), kNow + 48 * kHour);
  }
  EXPECT_EQ(play("ann", "tv")->resume_s, 600);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions").at(0).at("deadline_s"), kNow + 600 + 150);
}

TEST_F(PlaybackTest, HeartbeatsCloseTogetherAreAnsweredAndWriteOnce) {
  rent("ann");
  const auto tv = play("ann", "tv");
  clock_.pass(60);
  ASSERT_TRUE(beat(*tv, 60).ok());
  const Revision revision = store_->status()->revision;
  clock_.pass(9);
  for (int i = 0; i < 100; ++i) {
    const auto answer = beat(*tv, 61 + i);
    ASSERT_TRUE(answer.ok()) << describe(answer.error());
    EXPECT_EQ(hex(token_of(answer->at("token")).session), tv->session);
  }
  EXPECT_EQ(store_->status()->revision, revision);
  ASSERT_TRUE(beat(*tv, 70, true).ok());
  EXPECT_EQ(store_->status()->revision, revision + 1);
  EXPECT_EQ(play("ann", "tv")->resume_s, 70);
  clock_.pass(10);
  ASSERT_TRUE(beat(*tv, 80).ok());
  EXPECT_EQ(play("ann", "tv")->resume_s, 80);
  // Not even then is one answered that may not play.
  ASSERT_TRUE(revoke_entitlement(*services_, {rights::id_text(tv->entitlement.id), rights::State::revoked, ""}).ok());
  EXPECT_EQ(code(beat(*tv)), "entitlement_revoked");
}

TEST_F(PlaybackTest, UnreadablePositionIsTheBeginning) {
  rent("ann");
  put(position_key("ann", "film"), "{");
  const auto damaged = play("ann", "tv");
  ASSERT_TRUE(damaged.ok()) << describe(damaged.error());
  EXPECT_EQ(damaged->resume_s, 0);
  store_->fails_reading = [](std::string_view prefix) { return prefix.starts_with(kPositionPrefix); };
  EXPECT_EQ(code(play("ann", "tv")), "ok");
}

TEST_F(PlaybackTest, EndThatComesBeforeTheSigningIsADenial) {
  rent("ann");
  const auto tv = play("ann", "tv");
  clock_.pass(48 * kHour);
  EXPECT_EQ(code(issue_session_url(*services_, tv->entitlement, 1, tv->session, "v1", {})), "rental_play_time_passed");
}

TEST_F(PlaybackTest, LapsedSlotIsTakenAgainIfTheLimitAllows) {
  rent("ann");
  const auto tv = play("ann", "tv");
  clock_.pass(150);
  EXPECT_EQ(code(beat(*tv)), "ok");
  clock_.pass(150);
  ASSERT_TRUE(play("ann", "phone").ok());
  ASSERT_TRUE(play("ann", "pad").ok());
  EXPECT_EQ(code(beat(*tv)), "stream_limit_reached");
  clock_.pass(150);
  EXPECT_EQ(code(beat(*tv)), "ok");
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions").at(0).at("device"), "tv");
}

TEST_F(PlaybackTest, EndedSessionFreesItsSlotEvenAfterARevocation) {
  const std::string id = rent("ann");
  const auto tv = play("ann", "tv");
  ASSERT_TRUE(play("ann", "phone").ok());
  ASSERT_TRUE(beat(*tv, 77, true).ok());
  EXPECT_EQ(code(play("ann", "pad")), "ok");
  EXPECT_EQ(play("ann", "pad")->resume_s, 77);
  ASSERT_TRUE(revoke_entitlement(*services_, {id, rights::State::revoked, ""}).ok());
  EXPECT_EQ(code(beat(*tv)), "entitlement_revoked");
  EXPECT_EQ(code(beat(*tv, 80, true)), "ok");
}

TEST_F(PlaybackTest, BadHeartbeatsAreRefused) {
  rent("ann");
  const auto tv = play("ann", "tv");
  const std::string id = rights::id_text(tv->entitlement.id);
  EXPECT_EQ(code(heartbeat(*services_, {"zz", id, "film", {}, false})), "http_bad_request");
  EXPECT_EQ(code(heartbeat(*services_, {tv->session, "none", "film", {}, false})), "entitlement_not_found");
  EXPECT_EQ(code(heartbeat(*services_, {tv->session, id, "other", {}, false})), "entitlement_not_found");
  EXPECT_EQ(code(heartbeat(*services_, {tv->session, std::string(22, 'A'), "film", {}, false})),
            "entitlement_not_found");
  EXPECT_EQ(code(beat(*tv, -1)), "http_bad_request");
  EXPECT_EQ(code(beat(*tv, kPositionSecondsMax + 1)), "http_bad_request");
}

}  // namespace
}  // namespace reelway::origin
