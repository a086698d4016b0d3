#include "edge/replica/rights.h"

#include <gtest/gtest.h>

#include "edge/net/upstream_pool.h"
#include "tests/support/fake_origin.h"
#include "tests/unit/edge/replica/records.h"
#include "tests/unit/edge/replica/test_clock.h"

namespace reelway::edge {
namespace {

using std::chrono::milliseconds;
using testing::FakeOrigin;
using testing::Latch;
using testing::Script;

std::string path_of(std::uint32_t number) {
  return "/.reelway/v1/entitlement?id=" + rights::id_text(entitlement(number));
}

Script answer(std::vector<rights::ReplicaRecord> records, rights::Revision revision = 1000) {
  Script script;
  const std::uint64_t count = records.size();
  script.body = rights::encode_frame(rights::RecordsFrame{std::move(records)}) +
                rights::encode_frame(rights::EndFrame{count, revision});
  return script;
}

struct Asker final : Rights::Waiter {
  void rights_decided(Result<void> decision) override {
    EXPECT_FALSE(code.has_value());
    code = decision.ok() ? ErrorCode::usage : decision.error().code;
    may_retry = !decision.ok() && decision.error().retry && decision.error().info().http_status >= 500;
    if (told) told();
  }
  std::optional<ErrorCode> code;  // usage: allowed
  bool may_retry = false;         // nobody said no
  std::function<void()> told;
};

class RightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", origin_.port());
    options.name = "origin";
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
    copy_.cluster = "c1";
    copy_.position = 100;
    copy_.verified = clock_.monotonic();
    make({});
  }
  void TearDown() override {
    rights_->stop();
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    ring_->abandon();
  }
  void make(RightsOptions options) {
    if (options.ask_budget == RightsOptions{}.ask_budget) options.ask_budget = std::chrono::seconds(20);
    rights_ = std::make_unique<Rights>(*ring_, clock_, copy_, options);
    rights_->start(*pool_, [](std::string_view method, std::string_view path) {
      return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    });
  }
  // True when it was decided at once.
  bool ask(Asker& asker, std::uint32_t number, rights::Revision claim = 150) {
    const auto decision = rights_->decide({entitlement(number), claim}, asker);
    if (decision) asker.rights_decided(*decision);
    return decision.has_value();
  }
  ErrorCode decide(std::uint32_t number, rights::Revision claim = 150) {
    Asker asker;
    if (!ask(asker, number, claim)) wait(asker);
    return *asker.code;
  }
  void wait(Asker& asker) {
    if (asker.code) return;
    asker.told = [this] { ring_->stop(); };
    ring_->run();
    asker.told = nullptr;
  }
  void know(std::uint32_t number, rights::Revision revision, const rights::Record& record) {
    (void)copy_.table->put({entitlement(number), revision, record});
  }
  std::int64_t later() const { return clock_.wall_s() + 1000; }
  const RightsCounters& counters() const { return rights_->counters(); }

  MovedClock clock_;
  FakeOrigin origin_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  std::unique_ptr<UpstreamPool> pool_;
  ReplicaCopy copy_;
  std::unique_ptr<Rights> rights_;
};

TEST_F(RightsTest, WhatTheReplicaKnowsIsDecidedAtOnce) {
  know(1, 90, rental(later()));
  know(2, 95, rental(later(), rights::State::refunded));
  know(3, 95, rental(clock_.wall_s() - 1));
  Asker plays;
  EXPECT_TRUE(ask(plays, 1, 90));
  EXPECT_EQ(plays.code, ErrorCode::usage);
  EXPECT_EQ(decide(2, 90), ErrorCode::entitlement_revoked);
  EXPECT_EQ(decide(3, 95), ErrorCode::rental_play_time_passed);
  EXPECT_EQ(counters().asks, 0u);
  EXPECT_EQ(counters().allowed, 1u);
  EXPECT_EQ(counters().denied, 2u);
}

TEST_F(RightsTest, ANewRentalIsAskedAboutOnceHoweverManyAskAndThenKept) {
  const auto gate = std::make_shared<Latch>();
  Script script = answer({{entitlement(1), 150, rental(later())}});
  script.before_head = gate;
  origin_.script(path_of(1), script);
  Asker askers[5];
  for (Asker& asker : askers) EXPECT_FALSE(ask(asker, 1));
  EXPECT_EQ(rights_->asking(), 1u);
  gate->open();
  wait(askers[0]);
  for (Asker& asker : askers) EXPECT_EQ(asker.code, ErrorCode::usage);
  EXPECT_EQ(origin_.asked(path_of(1)), 1);
  EXPECT_EQ(counters().asks_shared, 4u);
  Asker next;
  EXPECT_TRUE(ask(next, 1));
  EXPECT_EQ(next.code, ErrorCode::usage);
  EXPECT_EQ(rights_->kept_answers(), 1u);
  // The replica arrives there: it counts alone from then on.
  copy_.position = 150;
  know(1, 150, rental(later(), rights::State::revoked));
  EXPECT_EQ(decide(1), ErrorCode::entitlement_revoked);
  EXPECT_EQ(origin_.asked(path_of(1)), 1);
}

TEST_F(RightsTest, TheOriginsDenialIsKeptToo) {
  origin_.script(path_of(1), answer({{entitlement(1), 160, rental(later(), rights::State::revoked)}}));
  EXPECT_EQ(decide(1), ErrorCode::entitlement_revoked);
  EXPECT_EQ(decide(1), ErrorCode::entitlement_revoked);
  EXPECT_FALSE(rights_->still_allowed({entitlement(1), 150}));
  EXPECT_EQ(origin_.asked(path_of(1)), 1);
}

TEST_F(RightsTest, WhatTheOriginDoesNotKnowIsRefusedAndBelievedForASecond) {
  origin_.script(path_of(1), answer({}));
  EXPECT_EQ(decide(1), ErrorCode::rental_unknown);
  EXPECT_EQ(decide(1), ErrorCode::rental_unknown);
  EXPECT_EQ(origin_.asked(path_of(1)), 1);
  EXPECT_EQ(counters().kept_unknown, 1u);
  clock_.moved += milliseconds(1'000);
  origin_.script(path_of(1), answer({{entitlement(1), 150, rental(later())}}));
  EXPECT_EQ(decide(1), ErrorCode::usage);
  EXPECT_EQ(origin_.asked(path_of(1)), 2);
}

TEST_F(RightsTest, AnEndedRecordOlderThanTheClaimIsAskedAbout) {
  know(1, 90, rental(clock_.wall_s() - 1));
  origin_.script(path_of(1), answer({{entitlement(1), 150, rental(later())}}));
  EXPECT_EQ(decide(1, 90), ErrorCode::rental_play_time_passed);
  EXPECT_EQ(decide(1, 150), ErrorCode::usage);
  EXPECT_EQ(origin_.asked(path_of(1)), 1);
}

TEST_F(RightsTest, ASlowOriginIsNotWaitedForButItsAnswerIsKept) {
  make({.ask_budget = milliseconds(30)});
  const auto gate = std::make_shared<Latch>();
  Script script = answer({{entitlement(1), 150, rental(later())}});
  script.before_head = gate;
  origin_.script(path_of(1), script);
  Asker late;
  EXPECT_FALSE(ask(late, 1));
  wait(late);
  EXPECT_EQ(late.code, ErrorCode::timed_out);
  EXPECT_TRUE(late.may_retry);
  EXPECT_EQ(counters().asks_late, 1u);
  EXPECT_EQ(counters().unknown, 1u);
  EXPECT_EQ(counters().denied, 0u);
  EXPECT_EQ(rights_->asking(), 1u);
  Asker again;
  EXPECT_FALSE(ask(again, 1));
  EXPECT_EQ(counters().asks, 1u);
  rights_->forget(again);
  gate->open();
  ring::Timer look(*ring_);
  const std::function<void()> until_kept = [&] {
    if (rights_->kept_answers() == 1) return ring_->stop();
    look.arm(milliseconds(1), until_kept);
  };
  until_kept();
  ring_->run();
  EXPECT_EQ(decide(1), ErrorCode::usage);
  EXPECT_FALSE(again.code.has_value());
}

TEST_F(RightsTest, FailedMalformedAndForeignAnswersRefuseNobodyForGood) {
  Script failed;
  failed.status = 500;
  origin_.script(path_of(1), failed);
  EXPECT_EQ(decide(1), ErrorCode::upstream_failed);
  origin_.script(path_of(2), answer({{entitlement(3), 150, rental(later())}}));
  EXPECT_EQ(decide(2), ErrorCode::upstream_failed);
  Script damaged = answer({{entitlement(4), 150, rental(later())}});
  damaged.body[20] ^= 1;
  origin_.script(path_of(4), damaged);
  EXPECT_EQ(decide(4), ErrorCode::upstream_failed);
  Script cut = answer({{entitlement(5), 150, rental(later())}});
  cut.body.resize(cut.body.size() - 3);
  origin_.script(path_of(5), cut);
  EXPECT_EQ(decide(5), ErrorCode::upstream_failed);
  EXPECT_EQ(counters().asks_failed, 4u);
  EXPECT_EQ(counters().unknown, 4u);
  EXPECT_EQ(counters().denied, 0u);
  EXPECT_EQ(rights_->kept_answers(), 0u);
}

TEST_F(RightsTest, AnOriginThatCannotBeReachedHasNotSaidNo) {
  pool_->close([this] { ring_->stop(); });
  ring_->run();
  UpstreamOptions options;
  options.address = *resolve("127.0.0.1", 1);  // nothing listens there
  pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
  make({});
  Asker asker;
  EXPECT_FALSE(ask(asker, 1));
  wait(asker);
  EXPECT_EQ(asker.code, ErrorCode::upstream_failed);
  EXPECT_TRUE(asker.may_retry);
  EXPECT_EQ(counters().asks_failed, 1u);
}

TEST_F(RightsTest, AClosedPoolIsToldAndNotFromInside) {
  pool_->close([this] { ring_->stop(); });
  ring_->run();
  Asker asker;
  EXPECT_FALSE(ask(asker, 1));
  EXPECT_FALSE(asker.code.has_value());
  wait(asker);
  EXPECT_EQ(asker.code, ErrorCode::shutting_down);
  EXPECT_TRUE(asker.may_retry);
  UpstreamOptions options;
  options.address = *resolve("127.0.0.1", origin_.port());
  pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
}

TEST_F(RightsTest, QuestionsAndThoseWhoWaitAreBounded) {
  make({.asks_max = 3, .ask_calls_max = 1, .waiters_max = 4});
  const auto gate = std::make_shared<Latch>();
  for (std::uint32_t i = 0; i < 4; ++i) {
    Script script = answer({{entitlement(i), 150, rental(later())}});
    script.before_head = gate;
    origin_.script(path_of(i), script);
  }
  Asker askers[4];
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_FALSE(ask(askers[i], i));
  EXPECT_EQ(counters().asks, 1u);  // the others wait for their turn on the wire
  Asker fourth;
  EXPECT_TRUE(ask(fourth, 3));
  EXPECT_EQ(fourth.code, ErrorCode::overloaded);
  EXPECT_TRUE(fourth.may_retry);
  EXPECT_FALSE(ask(askers[3], 0));
  Asker sixth;
  EXPECT_TRUE(ask(sixth, 0));
  EXPECT_EQ(sixth.code, ErrorCode::overloaded);
  EXPECT_EQ(counters().asks_shed, 2u);
  gate->open();
  for (std::uint32_t i = 0; i < 3; ++i) wait(askers[i]);
  for (Asker& asker : askers) EXPECT_EQ(asker.code, ErrorCode::usage);
  EXPECT_EQ(counters().asks, 3u);
}

TEST_F(RightsTest, AnAskerMayForgetAnotherWhileItIsTold) {
  const auto gate = std::make_shared<Latch>();
  Script script = answer({{entitlement(1), 150, rental(later())}});
  script.before_head = gate;
  origin_.script(path_of(1), script);
  Asker first;
  Asker second;
  EXPECT_FALSE(ask(first, 1));
  EXPECT_FALSE(ask(second, 1));
  first.told = [&] {
    rights_->forget(second);
    ring_->stop();
  };
  gate->open();
  ring_->run();
  EXPECT_EQ(first.code, ErrorCode::usage);
  EXPECT_FALSE(second.code.has_value());
}

TEST_F(RightsTest, ABehindReplicaAsksNobody) {
  clock_.moved = milliseconds(6'000);
  EXPECT_EQ(decide(1), ErrorCode::usage);
  EXPECT_EQ(counters().allowed_unseen, 1u);
  clock_.moved = std::chrono::hours(25);
  EXPECT_EQ(decide(1), ErrorCode::rights_too_stale);
  EXPECT_EQ(counters().too_stale, 1u);
  EXPECT_TRUE(rights_->still_allowed({entitlement(1), 1}));
  EXPECT_EQ(origin_.asked(path_of(1)), 0);
}

TEST_F(RightsTest, StoppingAnswersThoseWhoWait) {
  const auto gate = std::make_shared<Latch>();
  Script script = answer({});
  script.before_head = gate;
  origin_.script(path_of(1), script);
  Asker asker;
  EXPECT_FALSE(ask(asker, 1));
  rights_->stop();
  EXPECT_EQ(asker.code, ErrorCode::shutting_down);
  EXPECT_EQ(decide(2), ErrorCode::shutting_down);
  gate->open();
}

TEST(RightsOverlayTest, IsBoundedAndDropsTheOldest) {
  RightsOverlay overlay(3);
  const Clock::Monotonic now{};
  for (std::uint32_t i = 0; i < 10; ++i) {
    overlay.put(entitlement(i), {KnownRental{rental(1), 100 + i}, now});
    EXPECT_LE(overlay.size(), 3u);
  }
  EXPECT_EQ(overlay.find(entitlement(6), 0, now), nullptr);
  EXPECT_NE(overlay.find(entitlement(7), 0, now), nullptr);
  EXPECT_NE(overlay.find(entitlement(7), 106, now), nullptr);
  EXPECT_EQ(overlay.find(entitlement(7), 107, now), nullptr);
  overlay.drop_reached(108, now);
  EXPECT_EQ(overlay.size(), 1u);
  for (int i = 0; i < 10; ++i) overlay.put(entitlement(50), {std::nullopt, now + milliseconds(5)});
  EXPECT_NE(overlay.find(entitlement(50), 0, now), nullptr);
  EXPECT_EQ(overlay.find(entitlement(50), 0, now + milliseconds(5)), nullptr);
}

}  // namespace
}  // namespace reelway::edge
