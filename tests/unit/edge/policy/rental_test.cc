#include "edge/policy/rental.h"

#include <gtest/gtest.h>

#include <string>

namespace reelway::edge {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kNowS = 1'800'000'000;
constexpr std::int64_t kClaim = 100;

rights::Record record(rights::State state, std::int64_t view_until_s) {
  rights::Record record;
  record.state = state;
  record.first_play_s = kNowS - 1000;
  record.view_until_s = view_until_s;
  return record;
}

struct Case {
  const char* name;
  std::optional<KnownRental> known;
  std::optional<milliseconds> staleness;
  std::string expected;  // "allow", "unseen", "ask", or an error's name
};

const KnownRental kPlays{record(rights::State::active, kNowS + 1), kClaim};
const KnownRental kPlaysOlder{record(rights::State::active, kNowS + 1), kClaim - 1};
const KnownRental kEnded{record(rights::State::active, kNowS), kClaim};
const KnownRental kEndedOlder{record(rights::State::active, kNowS), kClaim - 1};
const KnownRental kEndedNewer{record(rights::State::active, kNowS), kClaim + 1};
const KnownRental kRevoked{record(rights::State::revoked, kNowS + 1), kClaim};
const KnownRental kRevokedOlder{record(rights::State::revoked, kNowS + 1), kClaim - 1};

const Case kCases[] = {
    {"fresh, plays", kPlays, seconds(5), "allow"},
    {"fresh, plays by an older record", kPlaysOlder, seconds(0), "allow"},
    {"fresh, ended", kEnded, seconds(5), "rental_play_time_passed"},
    {"fresh, ended by a newer record", kEndedNewer, seconds(5), "rental_play_time_passed"},
    {"fresh, ended by an older record: a newer is on its way", kEndedOlder, seconds(5), "ask"},
    {"fresh, revoked", kRevoked, seconds(0), "entitlement_revoked"},
    {"fresh, revoked is final whatever its age", kRevokedOlder, seconds(0), "entitlement_revoked"},
    {"fresh, no record", std::nullopt, seconds(5), "ask"},
    {"behind, no record", std::nullopt, milliseconds(5'001), "unseen"},
    {"behind, plays", kPlays, minutes(10), "allow"},
    {"behind, ended", kEnded, minutes(10), "rental_play_time_passed"},
    {"behind, ended by an older record", kEndedOlder, minutes(10), "unseen"},
    {"behind, revoked", kRevoked, minutes(10), "entitlement_revoked"},
    {"alarm, no record", std::nullopt, minutes(16), "unseen"},
    {"alarm, plays", kPlays, hours(24), "allow"},
    {"too stale, plays", kPlays, hours(24) + milliseconds(1), "rights_too_stale"},
    {"too stale, no record", std::nullopt, hours(25), "rights_too_stale"},
    {"too stale, revoked is still known", kRevoked, hours(25), "entitlement_revoked"},
    {"too stale, ended is still known", kEnded, hours(25), "rental_play_time_passed"},
    {"no copy, no record", std::nullopt, std::nullopt, "rights_too_stale"},
    {"no copy that was ever compared, plays", kPlays, std::nullopt, "rights_too_stale"},
};

std::string text(const RentalDecision& decision) {
  if (const auto* error = std::get_if<Error>(&decision)) return std::string(error->info().name);
  if (std::holds_alternative<AskOrigin>(decision)) return "ask";
  return std::get<Allow>(decision).unseen ? "unseen" : "allow";
}

TEST(RentalTest, TheStalenessPolicy) {
  for (const Case& row : kCases) {
    EXPECT_EQ(text(decide_rental(row.known, kClaim, row.staleness, kNowS, {})), row.expected) << row.name;
  }
}

TEST(RentalTest, TheLimitsAreOptions) {
  const RentalLimits limits{.fresh = seconds(1), .alarm = seconds(2), .stale_max = seconds(3)};
  EXPECT_EQ(text(decide_rental({}, kClaim, seconds(1), kNowS, limits)), "ask");
  EXPECT_EQ(text(decide_rental({}, kClaim, seconds(3), kNowS, limits)), "unseen");
  EXPECT_EQ(text(decide_rental(kPlays, kClaim, seconds(4), kNowS, limits)), "rights_too_stale");
}

// A second later nothing but time has passed: what was allowed may end, what was denied stays denied.
TEST(RentalTest, ADenialNeverTurnsIntoAYesByTimeOrStaleness) {
  for (const Case& row : kCases) {
    const auto now = decide_rental(row.known, kClaim, row.staleness, kNowS, {});
    if (!std::holds_alternative<Error>(now) || !row.staleness) continue;
    for (const milliseconds later : {milliseconds(1), milliseconds(seconds(10)), milliseconds(hours(30))}) {
      const auto then = decide_rental(row.known, kClaim, *row.staleness + later,
                                      kNowS + std::chrono::ceil<seconds>(later).count(), {});
      EXPECT_TRUE(std::holds_alternative<Error>(then)) << row.name;
    }
  }
}

}  // namespace
}  // namespace reelway::edge
