#include "origin/rights/orders.h"

#include "origin/rights/offers.h"
#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

using nlohmann::json;
using rights::Kind;
using Fault = InterferingStore::Fault;

class OrdersTest : public RightsTest {};

TEST_F(OrdersTest, RentalTakesTheTermsOfItsOffer) {
  const auto answer = place_order(*services_, order_of("ann"));
  ASSERT_TRUE(answer.ok()) << describe(answer.error());
  EXPECT_EQ(answer->at("kind"), "rental");
  EXPECT_EQ(answer->at("title"), "film");
  EXPECT_EQ(answer->at("offer"), "standard");
  EXPECT_EQ(answer->at("standing"), "unstarted");
  EXPECT_EQ(answer->at("start_by_s"), kNow + 30 * kDay);
  EXPECT_EQ(answer->at("first_play_s"), 0);
  EXPECT_EQ(answer->at("streams_max"), 2);
  EXPECT_EQ(answer->at("upgraded"), false);
  EXPECT_EQ(stored(answer->at("entitlement")).account, "ann");
}

TEST_F(OrdersTest, OneKeyOneAnswer) {
  const OrderRequest request = order_of("ann");
  const auto first = place_order(*services_, request);
  ASSERT_TRUE(first.ok());
  clock_.pass(kHour);
  // Also when the film is gone meanwhile: what was sold stays sold.
  TitleRecord gone;
  gone.state = TitleState::failed;
  put(title_key("film"), to_json(gone));
  const auto again = place_order(*services_, request);
  ASSERT_TRUE(again.ok()) << describe(again.error());
  EXPECT_EQ(again->dump(), first->dump());

  OrderRequest spelled_out = request;
  spelled_out.offer = "standard";
  EXPECT_EQ(place_order(*services_, spelled_out)->dump(), first->dump());
  OrderRequest other = request;
  other.kind = Kind::purchase;
  EXPECT_EQ(code(place_order(*services_, other)), "idempotency_key_reused");
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
}

TEST_F(OrdersTest, KeysAreTheAccountsOwn) {
  OrderRequest ann = order_of("ann");
  OrderRequest bob = ann;
  bob.account = "bob";
  EXPECT_NE(place_order(*services_, ann)->at("entitlement"), place_order(*services_, bob)->at("entitlement"));
}

TEST_F(OrdersTest, WhatCannotBeSoldIsRefusedAndChangesNothing) {
  TitleRecord ingesting;
  put(title_key("coming"), to_json(ingesting));
  const auto refusal = [&](const auto& change) {
    OrderRequest request = order_of("ann");
    change(request);
    return code(place_order(*services_, request));
  };
  EXPECT_EQ(refusal([](OrderRequest& r) { r.title = "coming"; }), "title_not_published");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.title = "nothing"; }), "title_not_found");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.title = "film/x"; }), "title_not_found");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.offer = "gold"; }), "offer_not_found");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.account = "a/b"; }), "account_id_invalid");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.account = ""; }), "account_id_invalid");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.idempotency_key = ""; }), "http_bad_request");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.idempotency_key = "a b"; }), "http_bad_request");
  EXPECT_EQ(refusal([](OrderRequest& r) { r.idempotency_key = std::string(129, 'k'); }), "http_bad_request");
  for (const auto prefix : {kEntitlementPrefix, kOrderResultPrefix, kAccountPrefix}) EXPECT_EQ(count_of(prefix), 0u);
}

TEST_F(OrdersTest, HeldTitleIsNotSoldTwice) {
  const std::string first = rent("ann");
  EXPECT_EQ(code(place_order(*services_, order_of("ann"))), "already_entitled");
  // Its window has passed, so it can be rented again.
  clock_.pass(30 * kDay);
  const std::string second = rent("ann");
  EXPECT_NE(first, second);
  EXPECT_EQ(count_of(kEntitlementPrefix), 2u);
  EXPECT_TRUE(revoke_entitlement(*services_, {second, rights::State::refunded, ""}).ok());
  EXPECT_NE(rent("ann"), second);
}

TEST_F(OrdersTest, BuyingUpgradesTheRentalInPlace) {
  const std::string id = rent("ann");
  ASSERT_TRUE(play("ann", "tv").ok());
  clock_.pass(kHour);
  const auto bought = place_order(*services_, order_of("ann", Kind::purchase));
  ASSERT_TRUE(bought.ok()) << describe(bought.error());
  EXPECT_EQ(bought->at("entitlement"), id);
  EXPECT_EQ(bought->at("kind"), "purchase");
  EXPECT_EQ(bought->at("upgraded"), true);
  EXPECT_EQ(bought->at("first_play_s"), kNow);
  EXPECT_EQ(bought->at("view_until_s"), 0);
  clock_.pass(90 * kDay);
  EXPECT_TRUE(play("ann", "tv").ok());
  EXPECT_EQ(code(place_order(*services_, order_of("ann", Kind::purchase))), "already_entitled");
  EXPECT_EQ(code(place_order(*services_, order_of("ann"))), "already_entitled");
}

TEST_F(OrdersTest, OfferOfTheTitleGoesBeforeTheGeneralOne) {
  rights::Terms general, own;
  general.max_height = 1080;
  own.max_height = 480;
  ASSERT_TRUE(save_offer(*services_, {"-", "sd", general}).ok());
  EXPECT_EQ(stored(rent("ann", "sd")).terms.max_height, 1080);
  ASSERT_TRUE(save_offer(*services_, {"film", "sd", own}).ok());
  EXPECT_EQ(stored(rent("bob", "sd")).terms.max_height, 480);
  // A stored offer of that name stands for the configured one; what was sold is as it was.
  own.streams_max = 1;
  ASSERT_TRUE(save_offer(*services_, {"-", "standard", own}).ok());
  EXPECT_EQ(stored(rent("cid")).terms.streams_max, 1u);
  EXPECT_EQ(list_offers(*services_)->size(), 3u);
}

TEST_F(OrdersTest, NothingIsSoldAfterTheLicenceHasEnded) {
  rights::Terms ending;
  ending.licence_end_s = kNow + kHour;
  ASSERT_TRUE(save_offer(*services_, {"film", "last", ending}).ok());
  EXPECT_EQ(stored(rent("ann", "last")).record.start_by_s, kNow + kHour);
  clock_.pass(kHour);
  OrderRequest late = order_of("bob");
  late.offer = "last";
  EXPECT_EQ(code(place_order(*services_, late)), "licence_ended");
}

TEST_F(OrdersTest, UnpublicationBetweenIsNoticed) {
  bool once = true;
  store_->before_txn = [&] {
    if (!std::exchange(once, false)) return;
    TitleRecord gone;
    put(title_key("film"), to_json(gone));
  };
  EXPECT_EQ(code(place_order(*services_, order_of("ann"))), "title_not_published");
  EXPECT_EQ(count_of(kEntitlementPrefix), 0u);
}

TEST_F(OrdersTest, EndlessConflictIsToldAsOne) {
  store_->before_txn = [&] { publish("film"); };
  store_->transactions = 0;
  const auto answer = place_order(*services_, order_of("ann"));
  EXPECT_EQ(code(answer), "store_conflict");
  EXPECT_TRUE(answer.error().retry);
  EXPECT_EQ(store_->transactions, kDecisionAttemptsMax);
}

TEST_F(OrdersTest, UnknownOutcomeIsRepeatedAndSellsOnce) {
  for (const Fault fault : {Fault::unknown_applied, Fault::unknown_lost}) {
    bool once = true;
    store_->next_fault = [&] { return std::exchange(once, false) ? fault : Fault::none; };
    const OrderRequest request = order_of(fault == Fault::unknown_applied ? "ann" : "bob");
    const auto answer = place_order(*services_, request);
    ASSERT_TRUE(answer.ok()) << describe(answer.error());
    EXPECT_EQ(place_order(*services_, request)->dump(), answer->dump());
  }
  EXPECT_EQ(count_of(kEntitlementPrefix), 2u);
}

TEST_F(OrdersTest, OutcomeThatStaysUnknownIsToldAndARetryFindsIt) {
  store_->next_fault = [] { return Fault::unknown_applied; };
  const OrderRequest request = order_of("ann");
  const auto answer = place_order(*services_, request);
  EXPECT_EQ(code(answer), "store_unknown");
  EXPECT_TRUE(answer.error().retry);
  store_->next_fault = nullptr;
  EXPECT_EQ(code(place_order(*services_, request)), "ok");
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
}

TEST_F(OrdersTest, ErrorAfterAnUnknownOutcomeIsUnknownToo) {
  // The repeat of the transaction fails.
  std::vector<Fault> faults{Fault::unknown_applied, Fault::unavailable};
  store_->next_fault = [&] {
    if (faults.empty()) return Fault::none;
    const Fault fault = faults.front();
    faults.erase(faults.begin());
    return fault;
  };
  const OrderRequest request = order_of("ann");
  const auto repeated = place_order(*services_, request);
  EXPECT_EQ(code(repeated), "store_unknown");
  EXPECT_TRUE(repeated.error().retry);
  EXPECT_EQ(code(place_order(*services_, request)), "ok");

  // The repeat finds its compares changed by the first one, and the next attempt cannot read.
  faults = {Fault::unknown_applied, Fault::none};
  store_->fails_reading = [&](std::string_view) { return faults.empty(); };
  const auto read = place_order(*services_, order_of("bob"));
  EXPECT_EQ(code(read), "store_unknown");
  EXPECT_TRUE(read.error().retry);
  store_->fails_reading = nullptr;
  EXPECT_EQ(count_of(kEntitlementPrefix), 2u);

  // Without an unknown outcome the error is the store's own.
  faults = {Fault::unavailable};
  EXPECT_EQ(code(place_order(*services_, order_of("cid"))), "store_unavailable");
  EXPECT_EQ(count_of(kEntitlementPrefix), 2u);
}

// The first ids would begin with '-' in text.
class DashingRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    system_.fill(out);
    if (++fills_ <= 3) out[0] = 0xf8;
  }
  int fills_ = 0;

 private:
  SystemRandom system_;
};

TEST_F(OrdersTest, NoIdBeginsLikeAnOption) {
  DashingRandom random;
  const RightsServices services{*store_, *catalog_, *keys_, *time_, random, turns_, services_->options, nullptr};
  const auto answer = place_order(services, order_of("ann"));
  ASSERT_TRUE(answer.ok()) << describe(answer.error());
  EXPECT_NE(answer->value("entitlement", "-").front(), '-');
  EXPECT_GE(random.fills_, 4);
}

TEST_F(OrdersTest, EqualRequestsAtOnceGetOneAnswer) {
  const OrderRequest request = order_of("ann");
  std::vector<std::string> answers(32);
  at_once(32, [&](int i) {
    const auto answer = place_order(*services_, request);
    answers[static_cast<std::size_t>(i)] = answer.ok() ? answer->dump() : code(answer);
  });
  for (const std::string& answer : answers) EXPECT_EQ(answer, answers.front());
  EXPECT_NE(answers.front().find("\"entitlement\""), std::string::npos);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
}

TEST_F(OrdersTest, OrdersAtOnceUnderDifferentKeysSellOnce) {
  std::atomic<int> sold{0}, refused{0};
  at_once(32, [&](int) {
    const std::string outcome = code(place_order(*services_, order_of("ann")));
    if (outcome == "ok") ++sold;
    if (outcome == "already_entitled") ++refused;
  });
  EXPECT_EQ(sold, 1);
  EXPECT_EQ(refused, 31);
  EXPECT_EQ(count_of(kEntitlementPrefix), 1u);
  EXPECT_EQ(count_of(kOrderResultPrefix), 1u);
}

TEST_F(OrdersTest, BadOffersAreRefused) {
  const auto refusal = [&](const auto& change) {
    Offer offer{"film", "sd", {}};
    change(offer);
    return code(save_offer(*services_, offer));
  };
  EXPECT_EQ(refusal([](Offer&) {}), "ok");
  EXPECT_EQ(refusal([](Offer& o) { o.name = "a/b"; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.title = "nothing"; }), "title_not_found");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.streams_max = 0; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.streams_max = kSlotsMax + 1; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.play_window_s = 0; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.start_window_s = -1; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.licence_end_s = -1; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.languages = {"English"}; }), "http_bad_request");
  EXPECT_EQ(refusal([](Offer& o) { o.terms.languages = {"en", "de"}; }), "http_bad_request");
}

}  // namespace
}  // namespace reelway::origin
