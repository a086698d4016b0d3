#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

// Rentals and purchases: what they are, and when they let a film be played. Pure: every time is an argument, in unix
// seconds; 0 stands for "none" where a field says so.

namespace reelway::rights {

using EntitlementId = std::array<std::uint8_t, 16>;  // random, so it tells nothing of the account
std::string id_text(const EntitlementId& id);        // 22 characters, base64url
std::optional<EntitlementId> parse_entitlement_id(std::string_view text);
bool is_account_id(std::string_view text);  // [A-Za-z0-9][A-Za-z0-9._~@-]{0,63}

// title: no entitlement, but the mark of a title that was taken off once (title_mark.h).
enum class Kind : std::uint8_t { rental = 1, purchase = 2, title = 3 };
// What somebody has done to it. Times pass by themselves and change no state. A state that is not active is final.
enum class State : std::uint8_t { active = 1, revoked = 2, refunded = 3, charged_back = 4 };
std::string_view name_of(Kind kind);    // "rental", "purchase", "title"
std::string_view name_of(State state);  // "active", ...

// The part that decides, and all that an edge knows of an entitlement.
//   rental, not started    may be started before start_by_s
//   rental, started        plays before view_until_s
//   purchase               plays; start_by_s and view_until_s are the licence's end, or 0
struct Record {
  Kind kind = Kind::rental;
  State state = State::active;
  std::int64_t start_by_s = 0;    // first second at which it can no longer be started; 0: no such time
  std::int64_t first_play_s = 0;  // 0: not started
  std::int64_t view_until_s = 0;  // first second at which a started one no longer plays; 0: no such time
  bool operator==(const Record&) const = default;
};

// Nothing when it lets the film be played at `now_s`; else entitlement_revoked, rental_window_passed,
// rental_play_time_passed or licence_ended, with how long ago. The mark of a title lets nothing be played.
std::optional<Error> denial(const Record& record, std::int64_t now_s);

// What is sold. Copied into the entitlement when it is ordered: a later change of the offer changes nothing sold.
struct Terms {
  std::int64_t start_window_s = 30 * 86'400;
  std::int64_t play_window_s = 48 * 3'600;
  std::int64_t licence_end_s = 0;      // nothing plays from here on; 0: no end
  std::uint16_t max_height = 0;        // 0: every rendition
  std::vector<std::string> languages;  // of audio and subtitles, BCP 47 primary subtags; empty: all
  std::uint32_t streams_max = 2;       // devices that play at once, counted over the account
  bool operator==(const Terms&) const = default;
};

Record ordered(Kind kind, const Terms& terms, std::int64_t now_s);
// The record with its clock started, once: a started one is returned unchanged. Only for one without a denial.
Record started(const Record& record, const Terms& terms, std::int64_t now_s);
// A rental turned into a purchase keeps its clock and its id, so that what plays goes on playing.
Record bought(const Record& record, const Terms& terms);
// When play that is allowed at now_s has to end by itself: 0 when never.
std::int64_t plays_until(const Record& record);

// "reelway" stored form of a record: 27 bytes, big-endian. u8 format 1, u8 kind, u8 state, i64 start_by, i64
// first_play, i64 view_until. One record has one form: a title's mark has no times, and is active or revoked.
inline constexpr std::size_t kRecordBytes = 27;
std::array<std::uint8_t, kRecordBytes> encode(const Record& record);
std::optional<Record> decode(ByteView bytes);  // nothing when it is not exactly such a form

}  // namespace reelway::rights
