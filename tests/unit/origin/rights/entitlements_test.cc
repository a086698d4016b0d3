#include "origin/rights/entitlements.h"

#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

class EntitlementsTest : public RightsTest {
 protected:
  std::string standing(const std::string& id) { return show_entitlement(*services_, id)->value("standing", ""); }
};

TEST_F(EntitlementsTest, ShowsWhereTheyStand) {
  const std::string id = rent("ann");
  EXPECT_EQ(standing(id), "unstarted");
  ASSERT_TRUE(play("ann", "tv").ok());
  EXPECT_EQ(standing(id), "started");
  clock_.pass(48 * kHour);
  EXPECT_EQ(standing(id), "ended:rental_play_time_passed");
  EXPECT_EQ(standing(rent("late")), "unstarted");
  EXPECT_EQ(code(show_entitlement(*services_, "x")), "entitlement_not_found");
  EXPECT_EQ(code(show_entitlement(*services_, std::string(22, 'A'))), "entitlement_not_found");
}

TEST_F(EntitlementsTest, ListIsTheAccountsOwn) {
  publish("other");
  rent("ann");
  rent("anna");
  OrderRequest second = order_of("ann");
  second.title = "other";
  ASSERT_TRUE(place_order(*services_, second).ok());
  const auto none = list_entitlements(*services_, "bob");
  EXPECT_EQ(code(none), "account_not_found");
  EXPECT_EQ(code(list_entitlements(*services_, "a b")), "account_id_invalid");
  const auto list = list_entitlements(*services_, "ann");
  ASSERT_TRUE(list.ok()) << describe(list.error());
  ASSERT_EQ(list->at("entitlements").size(), 2u);
  EXPECT_EQ(list->at("entitlements")[0]["title"], "film");
  EXPECT_EQ(list->at("entitlements")[1]["title"], "other");
  EXPECT_EQ(list->at("sessions"), json::array());
  ASSERT_TRUE(play("ann", "tv").ok());
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions")[0]["device"], "tv");
  clock_.pass(150);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions"), json::array());
}

TEST_F(EntitlementsTest, RevocationIsFinalAndFreesTheStreams) {
  const std::string id = rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  const auto first = revoke_entitlement(*services_, {id, rights::State::refunded, "asked"});
  ASSERT_TRUE(first.ok()) << describe(first.error());
  EXPECT_EQ(first->at("state"), "refunded");
  EXPECT_EQ(first->at("standing"), "ended:entitlement_revoked");
  EXPECT_EQ(first->at("ended_at_s"), kNow);
  EXPECT_EQ(first->at("already_ended"), false);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions"), json::array());
  clock_.pass(5);
  const Revision revision = store_->status()->revision;
  auto again = *first;
  again["already_ended"] = true;
  EXPECT_EQ(*revoke_entitlement(*services_, {id, rights::State::revoked, "again"}), again);
  EXPECT_EQ(store_->status()->revision, revision);
  EXPECT_EQ(code(revoke_entitlement(*services_, {"x", rights::State::revoked, ""})), "entitlement_not_found");
}

TEST_F(EntitlementsTest, RevocationOfUnknownOutcomeIsRepeated) {
  for (const auto fault : {InterferingStore::Fault::unknown_applied, InterferingStore::Fault::unknown_lost}) {
    const std::string id = rent("ann");
    bool once = true;
    store_->next_fault = [&] { return std::exchange(once, false) ? fault : InterferingStore::Fault::none; };
    const auto ended = revoke_entitlement(*services_, {id, rights::State::revoked, ""});
    ASSERT_TRUE(ended.ok()) << describe(ended.error());
    EXPECT_EQ(ended->at("already_ended"), false);
    EXPECT_EQ(stored(id).record.state, rights::State::revoked);
    store_->next_fault = nullptr;  // it refers to this round's variable
  }
}

TEST_F(EntitlementsTest, RevocationNeedsNoReadableSlots) {
  const std::string id = rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  put(slots_key("ann"), "{");
  EXPECT_EQ(code(revoke_entitlement(*services_, {id, rights::State::revoked, ""})), "ok");
  EXPECT_EQ(stored(id).record.state, rights::State::revoked);
  EXPECT_EQ(code(play("ann", "tv")), "entitlement_revoked");
}

TEST_F(EntitlementsTest, RevocationsWinOverPlaysThatRaceWithThem) {
  for (int round = 0; round < 10; ++round) {
    const std::string id = rent("ann");
    at_once(8, [&](int i) {
      if (i == 0) {
        EXPECT_TRUE(revoke_entitlement(*services_, {id, rights::State::revoked, ""}).ok());
        EXPECT_EQ(code(play("ann", "after")), "entitlement_revoked");
      } else {
        const std::string outcome = code(play("ann", "device-" + std::to_string(i)));
        EXPECT_TRUE(outcome == "ok" || outcome == "stream_limit_reached" || outcome == "entitlement_revoked")
            << outcome;
      }
    });
    EXPECT_EQ(stored(id).record.state, rights::State::revoked);
    EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions"), json::array());
  }
}

TEST_F(EntitlementsTest, DamagedRecordIsToldNotGuessed) {
  const std::string id = rent("ann");
  put(std::string(kEntitlementPrefix) + id, "{\"format\":1}");
  EXPECT_EQ(code(play("ann", "tv")), "stored_data_corrupt");
  EXPECT_EQ(code(place_order(*services_, order_of("ann"))), "stored_data_corrupt");
}

}  // namespace
}  // namespace reelway::origin
