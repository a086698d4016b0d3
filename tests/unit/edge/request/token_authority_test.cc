#include "edge/request/token_authority.h"

#include <gtest/gtest.h>

#include <map>

#include "common/base/encoding.h"
#include "tests/support/fake_origin.h"

namespace reelway::edge {
namespace {

constexpr std::int64_t kNowS = 1'800'000'000;

class StandingClock final : public Clock {
 public:
  Monotonic monotonic() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return Wall(std::chrono::seconds(now_s)); }
  std::int64_t now_s = kNowS;
};

struct Answer final : TokenAuthority::Waiter {
  std::optional<Result<Grant>> decision;
  std::function<void()> told;
  std::optional<ClientAddress> address;
  std::optional<ClientAddress> client_address() const override { return address; }
  void token_decided(Result<Grant> decided) override {
    EXPECT_FALSE(decision.has_value());
    decision = std::move(decided);
    if (told) told();
  }
  ErrorCode code() const { return decision && !decision->ok() ? decision->error().code : ErrorCode::usage; }
  bool granted() const { return decision && decision->ok(); }
};

class TokenAuthorityTest : public ::testing::Test {
 protected:
  TokenAuthorityTest() { publish({{1, "active"}, {2, "active"}}); }
  ~TokenAuthorityTest() override { ring_->abandon(); }

  void publish(const std::map<access::KeyId, std::string>& states) {
    std::string keys;
    for (const auto& [kid, state] : states) {
      if (!pairs_.contains(kid)) pairs_[kid] = std::move(access::generate_key_pair()).value();
      keys += (keys.empty() ? "" : ",");
      keys += R"({"kid":)" + std::to_string(kid) + R"(,"state":")" + state + R"(","public":")" +
              base64url(pairs_[kid].public_key) + R"("})";
    }
    authority_.set_keys(KeySet::parse(R"({"revision":1,"keys":[)" + keys + "]}").value());
  }
  std::string token(access::KeyId kid = 1, std::uint8_t session = 0) {
    if (!pairs_.contains(kid)) pairs_[kid] = std::move(access::generate_key_pair()).value();
    const access::Token token{kid, kNowS - 1, kNowS + 100, {session}, "film", {}, {}};
    return access::sign_token(token, pairs_[kid].private_key).value();
  }
  // Decides and, where that takes it, runs the ring until it is decided.
  Answer decide(const std::string& text, const std::string& title = "film",
                std::optional<ClientAddress> sender = std::nullopt) {
    Answer answer;
    answer.address = sender;
    answer.decision = authority_.decide(text, title, answer);
    if (answer.decision) return answer;
    answer.told = [this] { ring_->stop(); };
    ring_->run();
    answer.told = nullptr;
    return answer;
  }

  StandingClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  ring::SideWorkers workers_{*ring_, 1, 2, "test-side"};
  std::uint64_t polls_asked_ = 0;
  std::map<access::KeyId, access::KeyPair> pairs_;
  TokenAuthority authority_{*ring_,
                            clock_,
                            workers_,
                            {.remembered_max = 2,
                             .key_waiters_max = 1,
                             .key_wait_max = std::chrono::milliseconds(50),
                             .spent_refusals_a_turn = 2,
                             .failures = {.burst = 2, .per_second = 0}},
                            [this] { return ++polls_asked_; }};
};

TEST_F(TokenAuthorityTest, AVerifiedTokenIsRemembered) {
  const std::string text = token();
  const Answer first = decide(text);
  ASSERT_TRUE(first.granted());
  EXPECT_EQ((*first.decision)->kid, 1u);
  EXPECT_EQ((*first.decision)->expires_s, kNowS + 100);
  Answer second;
  const auto at_once = authority_.decide(text, "film", second);
  ASSERT_TRUE(at_once.has_value());
  EXPECT_TRUE(at_once->ok());
  EXPECT_EQ(authority_.counters().verified, 1u);
  EXPECT_EQ(authority_.counters().remembered, 1u);
}

TEST_F(TokenAuthorityTest, WhatIsRememberedIsStillHeldToTitleTimesAndKey) {
  const std::string text = token();
  ASSERT_TRUE(decide(text).granted());
  EXPECT_EQ(decide(text, "other").code(), ErrorCode::token_other_title);
  clock_.now_s = kNowS - 2;
  EXPECT_EQ(decide(text).code(), ErrorCode::token_not_yet_valid);
  EXPECT_EQ(authority_.remembered(), 1u);
  clock_.now_s = kNowS + 99;
  EXPECT_TRUE(decide(text).granted());
  clock_.now_s = kNowS + 100;
  EXPECT_EQ(decide(text).code(), ErrorCode::token_expired);
  EXPECT_EQ(authority_.remembered(), 0u);
}

TEST_F(TokenAuthorityTest, AnotherKeyOfTheSameNumberInheritsNothing) {
  const std::string text = token(1);
  ASSERT_TRUE(decide(text).granted());
  pairs_.erase(1);
  publish({{1, "active"}});
  EXPECT_EQ(authority_.remembered(), 0u);
  EXPECT_EQ(decide(text).code(), ErrorCode::token_signature_bad);
  EXPECT_TRUE(decide(token(1, 9)).granted());
}

TEST_F(TokenAuthorityTest, ARetiredOrVanishedKeyForgetsItsTokensAtOnce) {
  const std::string one = token(1);
  const std::string two = token(2);
  ASSERT_TRUE(decide(one).granted());
  ASSERT_TRUE(decide(two).granted());
  publish({{1, "retired"}, {2, "active"}});
  EXPECT_EQ(authority_.remembered(), 1u);
  EXPECT_EQ(decide(one).code(), ErrorCode::token_key_retired);
  EXPECT_TRUE(decide(two).granted());
  publish({{1, "retired"}});
  EXPECT_EQ(authority_.remembered(), 0u);
}

TEST_F(TokenAuthorityTest, AKeyRetiredDuringTheCheckRefuses) {
  Answer answer;
  ASSERT_FALSE(authority_.decide(token(), "film", answer).has_value());
  publish({{1, "retired"}});
  answer.told = [this] { ring_->stop(); };
  ring_->run();
  EXPECT_EQ(answer.code(), ErrorCode::token_key_retired);
  EXPECT_EQ(authority_.remembered(), 0u);
}

TEST_F(TokenAuthorityTest, OneCheckServesAllWhoAskAtOnce) {
  const std::string text = token();
  std::array<Answer, 5> answers;
  for (Answer& answer : answers) ASSERT_FALSE(authority_.decide(text, "film", answer).has_value());
  answers.back().told = [this] { ring_->stop(); };
  authority_.forget(answers[2]);
  ring_->run();
  EXPECT_TRUE(answers[0].granted());
  EXPECT_FALSE(answers[2].decision.has_value());
  EXPECT_TRUE(answers[4].granted());
  EXPECT_EQ(authority_.counters().verified, 1u);
  EXPECT_EQ(authority_.counters().shared, 4u);
}

TEST_F(TokenAuthorityTest, EveryFlippedBitIsRefused) {
  const std::string text = token();
  const Bytes good = *from_base64url(text);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes flipped = good;
    flipped[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    const Answer answer = decide(base64url(flipped));
    EXPECT_FALSE(answer.granted()) << i;
  }
  EXPECT_EQ(authority_.remembered(), 0u);
}

TEST_F(TokenAuthorityTest, TheLeastRecentlyUsedTokenIsForgotten) {
  const std::string a = token(1, 1);
  const std::string b = token(1, 2);
  const std::string c = token(1, 3);
  ASSERT_TRUE(decide(a).granted());
  ASSERT_TRUE(decide(b).granted());
  ASSERT_TRUE(decide(a).granted());
  ASSERT_TRUE(decide(c).granted());
  EXPECT_EQ(authority_.remembered(), 2u);
  EXPECT_EQ(authority_.counters().verified, 3u);
  ASSERT_TRUE(decide(a).granted());
  EXPECT_EQ(authority_.counters().verified, 3u);
  ASSERT_TRUE(decide(b).granted());
  EXPECT_EQ(authority_.counters().verified, 4u);
}

TEST_F(TokenAuthorityTest, AFullQueueSheds) {
  const auto gate = std::make_shared<testing::Latch>();  // the worker may still be leaving wait() when the test ends
  ASSERT_TRUE(workers_.submit([gate] { gate->wait(); }, [] {}));
  std::array<Answer, 4> answers;
  std::optional<Result<Grant>> last;
  // The one worker is held, so after two checks, or with the gate's job still queued after one, the queue is full.
  for (std::uint8_t i = 0; i < answers.size() && !last; ++i) last = authority_.decide(token(1, i), "film", answers[i]);
  gate->open();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->error().code, ErrorCode::overloaded);
  EXPECT_EQ(authority_.counters().shed, 1u);
}

TEST_F(TokenAuthorityTest, AnUnknownKeyWaitsForOnePollAndIsThenDecided) {
  Answer waits;
  ASSERT_FALSE(authority_.decide(token(7), "film", waits).has_value());
  EXPECT_EQ(polls_asked_, 1u);
  Answer too_many;
  const auto refused = authority_.decide(token(8), "film", too_many);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->error().code, ErrorCode::token_key_unknown);
  authority_.keys_polled(0);  // a poll that had begun before
  EXPECT_FALSE(waits.decision.has_value());
  publish({{1, "active"}, {7, "active"}});
  authority_.keys_polled(1);
  waits.told = [this] { ring_->stop(); };
  ring_->run();
  EXPECT_TRUE(waits.granted());
}

TEST_F(TokenAuthorityTest, AKeyThatStaysUnknownIsRefusedAfterThePollOrTheTimeLimit) {
  Answer polled;
  ASSERT_FALSE(authority_.decide(token(7), "film", polled).has_value());
  authority_.keys_polled(1);
  EXPECT_EQ(polled.code(), ErrorCode::token_key_unknown);
  EXPECT_EQ(decide(token(7)).code(), ErrorCode::token_key_unknown);  // no poll ends: the timer decides
}

// A flood of junk must leave room between its refusals: two a turn here, whoever is remembered at once.
TEST_F(TokenAuthorityTest, AnAddressThatHasSpentItsBudgetIsRefusedUncheckedAFewAtATurn) {
  const std::string good = token(1, 1);
  ASSERT_TRUE(decide(good).granted());
  const auto sender = ClientAddress::parse("192.0.2.1");
  for (std::uint8_t i = 0; i < 2; ++i) {
    std::string junk = token(1, 100 + i);
    junk.back() = junk.back() == 'A' ? 'Q' : 'A';
    EXPECT_EQ(decide(junk, "film", sender).code(), ErrorCode::token_signature_bad);
  }
  const std::uint64_t verified = authority_.counters().verified;

  std::array<Answer, 6> junk;
  std::array<std::uint64_t, 6> turn{};
  for (std::uint8_t i = 0; i < junk.size(); ++i) {
    junk[i].address = sender;
    junk[i].told = [this, i, &turn] {
      turn[i] = ring_->turns();
      if (i == 4) ring_->stop();
    };
    EXPECT_FALSE(authority_.decide("junk " + std::to_string(i), "film", junk[i]).has_value());
  }
  EXPECT_TRUE(decide(good, "film", sender).granted());
  authority_.forget(junk[5]);
  ring_->run();
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(junk[i].code(), ErrorCode::token_failures_exceeded);
  EXPECT_FALSE(junk[5].decision.has_value());
  EXPECT_EQ(turn[1], turn[0]);
  EXPECT_EQ(turn[2], turn[0] + 1);
  EXPECT_EQ(turn[4], turn[0] + 2);
  EXPECT_EQ(authority_.counters().verified, verified);
  EXPECT_EQ(authority_.counters().spent, 6u);
}

}  // namespace
}  // namespace reelway::edge
