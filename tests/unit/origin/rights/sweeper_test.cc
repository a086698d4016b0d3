#include "origin/rights/sweeper.h"

#include "origin/rights/sessions.h"
#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

class SweeperTest : public RightsTest {
 protected:
  void SetUp() override {
    RightsTest::SetUp();
    sweeper_ = std::make_unique<Sweeper>(*store_, *time_);
  }
  // One whole pass, as far as it is due.
  void pass() {
    for (int i = 0; i < 1000; ++i) {
      const auto ended = sweeper_->step();
      ASSERT_TRUE(ended.ok()) << describe(ended.error());
      if (*ended) return;
    }
    ADD_FAILURE() << "the pass does not end";
  }
  std::unique_ptr<Sweeper> sweeper_;
};

TEST_F(SweeperTest, LeavesWhatIsNeeded) {
  rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  const Revision revision = store_->status()->revision;
  pass();
  clock_.pass(29 * kDay);
  pass();
  EXPECT_EQ(sweeper_->counts().passes, 2u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
  EXPECT_EQ(count_of(kOrderResultPrefix), 1u);
  EXPECT_EQ(sweeper_->counts().slot_lists, 1u);  // its slots lapsed four weeks ago
  EXPECT_EQ(store_->status()->revision, revision + 1);
}

TEST_F(SweeperTest, RemovesWhatIsOver) {
  const std::string id = rent("ann");
  const auto playback = play("ann", "tv");
  ASSERT_TRUE(heartbeat(*services_, {playback->session, id, "film", 60, true}).ok());
  rent("bob");
  ASSERT_TRUE(place_order(*services_, order_of("cid", rights::Kind::purchase)).ok());
  clock_.pass(48 * kHour + 30 * kDay - 1);
  pass();
  EXPECT_EQ(sweeper_->counts().order_results, 3u);
  EXPECT_EQ(count_of(kOrderResultPrefix), 0u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 3u);
  clock_.pass(kHour);
  pass();
  EXPECT_EQ(sweeper_->counts().entitlements, 1u);
  EXPECT_EQ(code(show_entitlement(*services_, id)), "entitlement_not_found");
  EXPECT_EQ(code(list_entitlements(*services_, "ann")), "account_not_found");
  EXPECT_EQ(code(play("ann", "tv")), "entitlement_missing");
  EXPECT_EQ(count_of(kPositionPrefix), 1u);
  clock_.pass(kPositionKeptSeconds);
  pass();
  EXPECT_EQ(count_of(kPositionPrefix), 0u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);  // what was bought stays
  EXPECT_EQ(count_of(kAccountPrefix), 1u);
}

TEST_F(SweeperTest, NewerEntitlementOfTheTitleStaysTheAccounts) {
  const std::string first = rent("ann");
  ASSERT_TRUE(revoke_entitlement(*services_, {first, rights::State::revoked, ""}).ok());
  clock_.pass(20 * kDay);
  const std::string second = rent("ann");
  clock_.pass(10 * kDay);
  pass();
  EXPECT_EQ(sweeper_->counts().entitlements, 1u);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("entitlements")[0]["entitlement"], second);
}

TEST_F(SweeperTest, ManyAreRemovedByThePage) {
  for (int i = 0; i < 1203; ++i) {
    put(order_result_key("ann", "key-" + std::to_string(i)), to_json(OrderResult{"f", kNow, "{}"}));
  }
  clock_.pass(30 * kDay);
  pass();
  EXPECT_EQ(sweeper_->counts().order_results, 1203u);
  EXPECT_EQ(count_of(kOrderResultPrefix), 0u);
}

TEST_F(SweeperTest, WhatCannotBeReadIsLeftAndCounted) {
  put(order_result_key("ann", "damaged"), "{");
  put(order_result_key("ann", "over"), to_json(OrderResult{"f", kNow, "{}"}));
  clock_.pass(30 * kDay);
  pass();
  EXPECT_EQ(sweeper_->counts().unreadable, 1u);
  EXPECT_EQ(sweeper_->counts().order_results, 1u);
  EXPECT_EQ(count_of(kOrderResultPrefix), 1u);
}

TEST_F(SweeperTest, WhatChangesMeanwhileIsLeft) {
  rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  clock_.pass(2 * kDay - 1);
  bool once = true;
  store_->before_txn = [&] {
    if (!std::exchange(once, false)) return;
    EXPECT_TRUE(play("ann", "tv").ok());
  };
  pass();
  EXPECT_EQ(sweeper_->counts().changed_meanwhile, 1u);
  EXPECT_EQ(list_entitlements(*services_, "ann")->at("sessions").size(), 1u);
}

TEST_F(SweeperTest, RestsBetweenPasses) {
  rent("ann");
  pass();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(*sweeper_->step());
  EXPECT_EQ(sweeper_->counts().passes, 1u);
}

TEST_F(SweeperTest, FailingPageIsLeftToTheNextPass) {
  const std::string id = rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  clock_.pass(33 * kDay);
  store_->fails_reading = [](std::string_view prefix) { return prefix == kOrderResultPrefix; };
  EXPECT_FALSE(*sweeper_->step());  // the compaction
  EXPECT_EQ(code(sweeper_->step()), "io_failed");
  store_->next_fault = [] { return InterferingStore::Fault::unknown_lost; };
  EXPECT_EQ(code(sweeper_->step()), "store_unknown");
  store_->next_fault = nullptr;
  pass();
  EXPECT_EQ(sweeper_->counts().passes, 1u);
  EXPECT_EQ(sweeper_->counts().failed_pages, 2u);
  EXPECT_EQ(sweeper_->counts().slot_lists, 1u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
  EXPECT_FALSE(*sweeper_->step());

  store_->fails_reading = nullptr;
  clock_.pass(kSweepPeriodSeconds);
  pass();
  EXPECT_EQ(count_of(kOrderResultPrefix), 0u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 0u);
}

TEST_F(SweeperTest, PassWhoseLastPageFailsEndsToo) {
  rent("ann");
  store_->fails_reading = [](std::string_view prefix) { return prefix == kPositionPrefix; };
  for (int i = 0; i < 4; ++i) ASSERT_FALSE(*sweeper_->step());
  EXPECT_EQ(code(sweeper_->step()), "io_failed");
  EXPECT_EQ(sweeper_->counts().passes, 1u);
  EXPECT_FALSE(*sweeper_->step());
}

TEST_F(SweeperTest, EntitlementWhosePointerIsDamagedStays) {
  const std::string id = rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  rent("bob");
  ASSERT_TRUE(play("bob", "tv").ok());
  put(account_key("ann", "film"), "{");
  clock_.pass(33 * kDay);
  pass();
  EXPECT_EQ(sweeper_->counts().unreadable, 1u);
  EXPECT_EQ(sweeper_->counts().entitlements, 1u);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
  EXPECT_EQ(code(show_entitlement(*services_, id)), "ok");
}

TEST_F(SweeperTest, LogIsCompactedToAMillionRevisions) {
  pass();
  EXPECT_EQ(store_->compacted_to, 0);
  rent("ann");
  store_->revisions_added = kLogRevisionsKept;
  const Revision real = store_->real().status()->revision;
  ASSERT_FALSE(*sweeper_->step());
  EXPECT_EQ(store_->compacted_to, 0);
  clock_.pass(kCompactionPeriodSeconds);
  // Whatever becomes of the pass.
  store_->fails_reading = [](std::string_view) { return true; };
  ASSERT_FALSE(*sweeper_->step());
  EXPECT_EQ(store_->compacted_to, real);
}

}  // namespace
}  // namespace reelway::origin
