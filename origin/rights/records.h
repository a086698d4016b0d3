#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/rights/entitlement.h"
#include "origin/fleet/beat.h"

// What the control store holds about rights, as values and as the JSON text of its keys. Pure.
//
//   /v1/rights/ent/<id>           EntitlementRecord; edges follow the prefix /v1/rights/ and know no more of it than
//                                 its rights::Record
//   /v1/acct/<account>/<title>    id of the account's newest entitlement of that title
//   /v1/idem/<account>/<key>      OrderResult: what an order with that idempotency key was answered with
//   /v1/ses/<account>             Slots: the devices of the account that play
//   /v1/pos/<account>/<title>     ResumePosition
//   /v1/offer/<title or ->/<name> rights::Terms of an offer; "-" stands for all titles
//
// Every text carries "format":1. A text of another format or shape is stored_data_corrupt and names the key.
// Times are unix seconds of the origin's time; 0 stands for "none".

namespace reelway::origin {

struct EntitlementRecord {
  rights::EntitlementId id{};
  std::string account;
  std::string title;
  std::string offer;
  rights::Record record;
  rights::Terms terms;  // as ordered
  std::int64_t ordered_at_s = 0;
  std::int64_t ended_at_s = 0;  // when somebody ended it; 0 while its state is active
  std::string end_reason;
};

struct OrderResult {
  std::string fingerprint;  // of the request, so that another one under the same key is noticed
  std::int64_t created_at_s = 0;
  std::string answer;  // JSON text
};

// A device that plays. It counts against the limit of streams until its deadline.
struct Slot {
  std::string session;      // hex
  std::string entitlement;  // rights::id_text
  std::string title;
  std::string device;  // empty when only its session is known
  std::int64_t deadline_s = 0;
  std::int64_t started_s = 0;
  bool operator==(const Slot&) const = default;
};
using Slots = std::vector<Slot>;
inline constexpr std::size_t kSlotsMax = 256;  // of one account

struct ResumePosition {
  std::int64_t position_s = 0;
  std::int64_t saved_at_s = 0;
};

inline constexpr std::string_view kAccountPrefix = "/v1/acct/";
inline constexpr std::string_view kOrderResultPrefix = "/v1/idem/";
inline constexpr std::string_view kSlotsPrefix = "/v1/ses/";
inline constexpr std::string_view kPositionPrefix = "/v1/pos/";
inline constexpr std::string_view kOfferPrefix = "/v1/offer/";
inline constexpr std::string_view kEveryTitle = "-";

std::string entitlement_key(const rights::EntitlementId& id);
std::string account_key(std::string_view account, std::string_view title);
std::string order_result_key(std::string_view account, std::string_view idempotency_key);
std::string slots_key(std::string_view account);
std::string position_key(std::string_view account, std::string_view title);
std::string offer_key(std::string_view title, std::string_view name);

std::string to_json(const EntitlementRecord& record);
std::string newest_entitlement_json(const rights::EntitlementId& id);
std::string to_json(const OrderResult& result);
std::string to_json(const Slots& slots);
std::string to_json(const ResumePosition& position);
std::string offer_json(const rights::Terms& terms);

// `key` is where the text was found; errors name it.
Result<EntitlementRecord> parse_entitlement(std::string_view key, std::string_view json);
Result<rights::EntitlementId> parse_newest_entitlement(std::string_view key, std::string_view json);
Result<OrderResult> parse_order_result(std::string_view key, std::string_view json);
Result<Slots> parse_slots(std::string_view key, std::string_view json);
Result<ResumePosition> parse_position(std::string_view key, std::string_view json);
Result<rights::Terms> parse_offer(std::string_view key, std::string_view json);

// Limits of what is sold; config_value_invalid names the field.
inline constexpr std::int64_t kWindowSecondsMax = 10LL * 365 * 86'400;
inline constexpr std::int64_t kTimeSecondsMax = 253'402'300'799;  // the year 9999 ends
inline constexpr std::uint16_t kHeightMax = 16'384;
Result<void> check_terms(const rights::Terms& terms);
Result<void> check_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high);
nlohmann::json terms_object(const rights::Terms& terms);

}  // namespace reelway::origin
