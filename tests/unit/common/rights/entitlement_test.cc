#include "common/rights/entitlement.h"

#include <gtest/gtest.h>

namespace reelway::rights {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kHour = 3600;

ErrorCode code_at(const Record& record, std::int64_t now_s) {
  const auto error = denial(record, now_s);
  return error ? error->code : ErrorCode::internal;
}
constexpr ErrorCode kPlays = ErrorCode::internal;  // what code_at says of one without a denial

TEST(Entitlement, ARentalMayBeStartedForThirtyDays) {
  const Record record = ordered(Kind::rental, {}, kNow);
  EXPECT_EQ(record.start_by_s, kNow + 30 * 24 * kHour);
  EXPECT_EQ(code_at(record, kNow), kPlays);
  EXPECT_EQ(code_at(record, record.start_by_s - 1), kPlays);
  EXPECT_EQ(code_at(record, record.start_by_s), ErrorCode::rental_window_passed);
}

TEST(Entitlement, AStartedRentalPlaysForFortyEightHoursAlsoBeyondItsWindow) {
  const Record record = ordered(Kind::rental, {}, kNow);
  const std::int64_t late = record.start_by_s - 1;
  const Record play = started(record, {}, late);
  EXPECT_EQ(play.first_play_s, late);
  EXPECT_EQ(plays_until(play), late + 48 * kHour);
  EXPECT_EQ(code_at(play, late + 48 * kHour - 1), kPlays);
  EXPECT_EQ(code_at(play, late + 48 * kHour), ErrorCode::rental_play_time_passed);
}

TEST(Entitlement, TheClockStartsOnce) {
  const Record play = started(ordered(Kind::rental, {}, kNow), {}, kNow + 5);
  EXPECT_EQ(started(play, {}, kNow + 500), play);
}

TEST(Entitlement, NothingOutlivesTheLicence) {
  Terms terms;
  terms.licence_end_s = kNow + kHour;
  const Record rental = ordered(Kind::rental, terms, kNow);
  EXPECT_EQ(rental.start_by_s, kNow + kHour);
  EXPECT_EQ(started(rental, terms, kNow).view_until_s, kNow + kHour);
  const Record purchase = ordered(Kind::purchase, terms, kNow);
  EXPECT_EQ(code_at(purchase, kNow + kHour), ErrorCode::licence_ended);
  EXPECT_EQ(code_at(started(purchase, terms, kNow), kNow + kHour), ErrorCode::licence_ended);
}

TEST(Entitlement, APurchasePlaysWithoutEnd) {
  const Record record = started(ordered(Kind::purchase, {}, kNow), {}, kNow);
  EXPECT_EQ(code_at(record, kNow + 1'000'000'000), kPlays);
  EXPECT_EQ(plays_until(record), 0);
}

TEST(Entitlement, ARentalThatIsBoughtPlaysOn) {
  const Record play = started(ordered(Kind::rental, {}, kNow), {}, kNow + 5);
  const Record owned = bought(play, {});
  EXPECT_EQ(owned.first_play_s, play.first_play_s);
  EXPECT_EQ(code_at(owned, kNow + 1'000'000'000), kPlays);
}

TEST(Entitlement, WhatIsTakenBackNeverPlays) {
  Record record = started(ordered(Kind::purchase, {}, kNow), {}, kNow);
  for (const State state : {State::revoked, State::refunded, State::charged_back}) {
    record.state = state;
    EXPECT_EQ(code_at(record, kNow), ErrorCode::entitlement_revoked);
  }
}

TEST(Entitlement, TheStoredFormHasOneReading) {
  Record record = started(ordered(Kind::rental, {}, kNow), {}, kNow + 5);
  const auto bytes = encode(record);
  EXPECT_EQ(decode(bytes), record);
  EXPECT_FALSE(decode(ByteView(bytes).first(bytes.size() - 1)));
  for (const std::size_t at : {0u, 1u, 2u}) {
    auto damaged = bytes;
    damaged[at] = 9;
    EXPECT_FALSE(decode(damaged));
  }
  auto negative = bytes;
  negative[3] = 0x80;
  EXPECT_FALSE(decode(negative));
}

TEST(Entitlement, IdsAndAccountsHaveOneForm) {
  const EntitlementId id{1, 2, 3};
  EXPECT_EQ(id_text(id).size(), 22u);
  EXPECT_EQ(parse_entitlement_id(id_text(id)), id);
  EXPECT_FALSE(parse_entitlement_id("AAAA"));
  EXPECT_TRUE(is_account_id("ada@example.org"));
  EXPECT_TRUE(is_account_id(std::string(64, 'a')));
  for (const char* bad : {"", "-a", "a/b", "a b", "a%2fb", "\xc3\xa9"}) EXPECT_FALSE(is_account_id(bad)) << bad;
  EXPECT_FALSE(is_account_id(std::string(65, 'a')));
}

}  // namespace
}  // namespace reelway::rights
