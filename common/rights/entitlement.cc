#include "common/rights/entitlement.h"

#include <algorithm>

#include "common/base/encoding.h"

namespace reelway::rights {
namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::size_t kAccountBytesMax = 64;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error denied(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

std::string ago(std::int64_t then_s, std::int64_t now_s) {
  return std::to_string(now_s - then_s) + " s ago";
}

// The earlier of two times of which 0 is "none".
std::int64_t earlier(std::int64_t a, std::int64_t b) {
  if (a == 0) return b;
  return b == 0 ? a : std::min(a, b);
}

}  // namespace

std::string id_text(const EntitlementId& id) {
  return base64url(id);
}

std::optional<EntitlementId> parse_entitlement_id(std::string_view text) {
  const auto bytes = from_base64url(text);
  EntitlementId id{};
  if (!bytes || bytes->size() != id.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

bool is_account_id(std::string_view text) {
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '~' || c == '@' || c == '-';
  };
  return !text.empty() && text.size() <= kAccountBytesMax && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::rental: return "rental";
    case Kind::purchase: return "purchase";
    case Kind::title: return "title";
  }
  return "unknown";
}

std::string_view name_of(State state) {
  switch (state) {
    case State::active: return "active";
    case State::revoked: return "revoked";
    case State::refunded: return "refunded";
    case State::charged_back: return "charged_back";
  }
  return "unknown";
}

std::optional<Error> denial(const Record& record, std::int64_t now_s) {
  if (record.kind == Kind::title) return denied(ErrorCode::entitlement_revoked, "it is no entitlement");
  if (record.state != State::active) {
    return denied(ErrorCode::entitlement_revoked, "it is " + std::string(name_of(record.state)));
  }
  const std::int64_t end_s = record.first_play_s != 0 ? record.view_until_s : record.start_by_s;
  if (end_s == 0 || now_s < end_s) return std::nullopt;
  if (record.kind == Kind::purchase) return denied(ErrorCode::licence_ended, ago(end_s, now_s));
  return record.first_play_s != 0 ? denied(ErrorCode::rental_play_time_passed, ago(end_s, now_s))
                                  : denied(ErrorCode::rental_window_passed, ago(end_s, now_s));
}

Record ordered(Kind kind, const Terms& terms, std::int64_t now_s) {
  Record record;
  record.kind = kind;
  if (kind == Kind::rental) {
    record.start_by_s = earlier(now_s + terms.start_window_s, terms.licence_end_s);
  } else {
    record.start_by_s = record.view_until_s = terms.licence_end_s;
  }
  return record;
}

Record started(const Record& record, const Terms& terms, std::int64_t now_s) {
  if (record.first_play_s != 0) return record;
  Record next = record;
  next.first_play_s = now_s;
  if (record.kind == Kind::rental) next.view_until_s = earlier(now_s + terms.play_window_s, terms.licence_end_s);
  return next;
}

Record bought(const Record& record, const Terms& terms) {
  Record next = record;
  next.kind = Kind::purchase;
  next.start_by_s = next.view_until_s = terms.licence_end_s;
  return next;
}

std::int64_t plays_until(const Record& record) {
  return record.first_play_s != 0 ? record.view_until_s : record.start_by_s;
}

std::array<std::uint8_t, kRecordBytes> encode(const Record& record) {
  ByteWriter writer;
  writer.u8(kRecordFormat);
  writer.u8(static_cast<std::uint8_t>(record.kind));
  writer.u8(static_cast<std::uint8_t>(record.state));
  writer.i64(record.start_by_s);
  writer.i64(record.first_play_s);
  writer.i64(record.view_until_s);
  std::array<std::uint8_t, kRecordBytes> bytes{};
  std::copy(writer.bytes().begin(), writer.bytes().end(), bytes.begin());
  return bytes;
}

std::optional<Record> decode(ByteView bytes) {
  ByteReader reader{bytes};
  const std::uint8_t format = reader.u8();
  const std::uint8_t kind = reader.u8();
  const std::uint8_t state = reader.u8();
  Record record;
  record.start_by_s = reader.i64();
  record.first_play_s = reader.i64();
  record.view_until_s = reader.i64();
  const bool known = format == kRecordFormat && kind >= 1 && kind <= 3 && state >= 1 && state <= 4;
  const bool times = record.start_by_s >= 0 && record.first_play_s >= 0 && record.view_until_s >= 0;
  if (reader.failed() || !reader.at_end() || !known || !times) return std::nullopt;
  const bool is_timed = record.start_by_s != 0 || record.first_play_s != 0 || record.view_until_s != 0;
  if (kind == static_cast<std::uint8_t>(Kind::title) && (is_timed || state > 2)) return std::nullopt;
  record.kind = static_cast<Kind>(kind);
  record.state = static_cast<State>(state);
  return record;
}

}  // namespace reelway::rights
