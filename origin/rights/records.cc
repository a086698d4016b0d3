#include "origin/rights/records.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/access/view.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

// Reads one record's fields. The first that is missing or not as expected makes the whole record corrupt.
class Fields {
 public:
  Fields(std::string_view key, std::string_view text) : Fields(key, json::parse(text, nullptr, false)) {
    if (number("format", kFormat, kFormat) != kFormat) fail("format");
  }
  Fields(std::string_view key, json value) : key_(key), value_(std::move(value)) {
    if (!value_.is_object()) fail("object");
  }

  const json* find(const char* name) const {
    const auto place = value_.is_object() ? value_.find(name) : value_.end();
    return place == value_.end() ? nullptr : &*place;
  }
  std::string text(const char* name) {
    const json* field = find(name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
    fail(name);
    return {};
  }
  std::int64_t number(const char* name, std::int64_t low, std::int64_t high) {
    const json* field = find(name);
    // What is over the range of a signed number would wrap around to a negative one, which `low` refuses.
    const bool whole = field != nullptr && field->is_number_integer();
    const std::int64_t value = whole ? field->get<std::int64_t>() : 0;
    if (whole && value >= low && value <= high) return value;
    fail(name);
    return 0;
  }
  std::int64_t time(const char* name) { return number(name, 0, kTimeSecondsMax); }
  json array(const char* name) {
    const json* field = find(name);
    if (field != nullptr && field->is_array()) return *field;
    fail(name);
    return json::array();
  }
  void fail(const char* name) {
    if (broken_.empty()) broken_ = name;
  }

  template <class Record>
  Result<Record> finish(Record record) const {
    if (broken_.empty()) return record;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 "control store, key " + key_ + ": " + broken_ + " is missing or not as expected"};
  }

 private:
  std::string key_;
  json value_;
  std::string broken_;
};

std::string dump(json value) {
  value["format"] = kFormat;
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <class Value>
std::optional<Value> value_named(std::string_view name, std::initializer_list<Value> values) {
  for (const Value value : values) {
    if (name_of(value) == name) return value;
  }
  return std::nullopt;
}

rights::Terms read_terms(std::string_view key, Fields& outer, const char* name) {
  const json* object = outer.find(name);
  Fields fields(key, object == nullptr ? json() : *object);
  rights::Terms terms;
  terms.start_window_s = fields.number("start_window_s", 1, kWindowSecondsMax);
  terms.play_window_s = fields.number("play_window_s", 1, kWindowSecondsMax);
  terms.licence_end_s = fields.time("licence_end_s");
  terms.max_height = static_cast<std::uint16_t>(fields.number("max_height", 0, kHeightMax));
  terms.streams_max = static_cast<std::uint32_t>(fields.number("streams_max", 1, kSlotsMax));
  for (const json& language : fields.array("languages")) {
    terms.languages.push_back(language.is_string() ? language.get<std::string>() : std::string());
  }
  if (!fields.finish(0) || !check_terms(terms)) outer.fail(name);
  return terms;
}

rights::Record read_record(Fields& fields) {
  using rights::Kind;
  using rights::State;
  rights::Record record;
  const auto kind = value_named(fields.text("kind"), {Kind::rental, Kind::purchase});
  const auto state =
      value_named(fields.text("state"), {State::active, State::revoked, State::refunded, State::charged_back});
  if (!kind) fields.fail("kind");
  if (!state) fields.fail("state");
  record.kind = kind.value_or(Kind::rental);
  record.state = state.value_or(State::revoked);
  record.start_by_s = fields.time("start_by_s");
  record.first_play_s = fields.time("first_play_s");
  record.view_until_s = fields.time("view_until_s");
  return record;
}

}  // namespace

std::string entitlement_key(const rights::EntitlementId& id) {
  return std::string(kEntitlementPrefix) + rights::id_text(id);
}
std::string account_key(std::string_view account, std::string_view title) {
  return std::string(kAccountPrefix).append(account).append("/").append(title);
}
std::string order_result_key(std::string_view account, std::string_view idempotency_key) {
  return std::string(kOrderResultPrefix).append(account).append("/").append(idempotency_key);
}
std::string slots_key(std::string_view account) {
  return std::string(kSlotsPrefix).append(account);
}
std::string position_key(std::string_view account, std::string_view title) {
  return std::string(kPositionPrefix).append(account).append("/").append(title);
}
std::string offer_key(std::string_view title, std::string_view name) {
  return std::string(kOfferPrefix).append(title).append("/").append(name);
}

json terms_object(const rights::Terms& terms) {
  return {{"start_window_s", terms.start_window_s}, {"play_window_s", terms.play_window_s},
          {"licence_end_s", terms.licence_end_s},   {"max_height", terms.max_height},
          {"languages", terms.languages},           {"streams_max", terms.streams_max}};
}

std::string to_json(const EntitlementRecord& entitlement) {
  const rights::Record& record = entitlement.record;
  return dump({{"account", entitlement.account},
               {"title", entitlement.title},
               {"offer", entitlement.offer},
               {"kind", name_of(record.kind)},
               {"state", name_of(record.state)},
               {"terms", terms_object(entitlement.terms)},
               {"ordered_at_s", entitlement.ordered_at_s},
               {"start_by_s", record.start_by_s},
               {"first_play_s", record.first_play_s},
               {"view_until_s", record.view_until_s},
               {"ended_at_s", entitlement.ended_at_s},
               {"end_reason", entitlement.end_reason}});
}

std::string newest_entitlement_json(const rights::EntitlementId& id) {
  return dump({{"entitlement", rights::id_text(id)}});
}

std::string to_json(const OrderResult& result) {
  return dump({{"fingerprint", result.fingerprint},
               {"created_at_s", result.created_at_s},
               {"result", json::parse(result.answer, nullptr, false)}});
}

std::string to_json(const Slots& slots) {
  json list = json::array();
  for (const Slot& slot : slots) {
    list.push_back({{"session", slot.session},
                    {"entitlement", slot.entitlement},
                    {"title", slot.title},
                    {"device", slot.device},
                    {"deadline_s", slot.deadline_s},
                    {"started_s", slot.started_s}});
  }
  return dump({{"slots", std::move(list)}});
}

std::string to_json(const ResumePosition& position) {
  return dump({{"position_s", position.position_s}, {"saved_at_s", position.saved_at_s}});
}

std::string offer_json(const rights::Terms& terms) {
  return dump({{"terms", terms_object(terms)}});
}

Result<EntitlementRecord> parse_entitlement(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  EntitlementRecord entitlement;
  const auto id = rights::parse_entitlement_id(key.substr(std::min(key.size(), kEntitlementPrefix.size())));
  if (!id) fields.fail("the key's id");
  entitlement.id = id.value_or(rights::EntitlementId{});
  entitlement.account = fields.text("account");
  entitlement.title = fields.text("title");
  entitlement.offer = fields.text("offer");
  entitlement.record = read_record(fields);
  entitlement.terms = read_terms(key, fields, "terms");
  entitlement.ordered_at_s = fields.time("ordered_at_s");
  entitlement.ended_at_s = fields.time("ended_at_s");
  entitlement.end_reason = fields.text("end_reason");
  return fields.finish(std::move(entitlement));
}

Result<rights::EntitlementId> parse_newest_entitlement(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  const auto id = rights::parse_entitlement_id(fields.text("entitlement"));
  if (!id) fields.fail("entitlement");
  return fields.finish(id.value_or(rights::EntitlementId{}));
}

Result<OrderResult> parse_order_result(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  OrderResult result;
  result.fingerprint = fields.text("fingerprint");
  result.created_at_s = fields.time("created_at_s");
  const json* answer = fields.find("result");
  if (answer != nullptr && answer->is_object()) {
    result.answer = answer->dump();
  } else {
    fields.fail("result");
  }
  return fields.finish(std::move(result));
}

Result<Slots> parse_slots(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  Slots slots;
  for (json& object : fields.array("slots")) {
    Fields inner(key, std::move(object));
    Slot slot;
    slot.session = inner.text("session");
    slot.entitlement = inner.text("entitlement");
    slot.title = inner.text("title");
    slot.device = inner.text("device");
    slot.deadline_s = inner.time("deadline_s");
    slot.started_s = inner.time("started_s");
    if (!inner.finish(0)) fields.fail("a slot");
    slots.push_back(std::move(slot));
  }
  return fields.finish(std::move(slots));
}

Result<ResumePosition> parse_position(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  ResumePosition position;
  position.position_s = fields.time("position_s");
  position.saved_at_s = fields.time("saved_at_s");
  return fields.finish(position);
}

Result<rights::Terms> parse_offer(std::string_view key, std::string_view text) {
  Fields fields(key, text);
  rights::Terms terms = read_terms(key, fields, "terms");
  return fields.finish(std::move(terms));
}

Result<void> check_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return Error{ErrorCode::config_value_invalid, Side::client, false,
               std::string(name) + ": expected " + std::to_string(low) + " to " + std::to_string(high) +
                   ", found: " + std::to_string(value)};
}

Result<void> check_terms(const rights::Terms& terms) {
  REELWAY_TRY(check_range("start_window_s", terms.start_window_s, 1, kWindowSecondsMax));
  REELWAY_TRY(check_range("play_window_s", terms.play_window_s, 1, kWindowSecondsMax));
  REELWAY_TRY(check_range("licence_end_s", terms.licence_end_s, 0, kTimeSecondsMax));
  REELWAY_TRY(check_range("max_height", terms.max_height, 0, kHeightMax));
  REELWAY_TRY(check_range("streams_max", terms.streams_max, 1, kSlotsMax));
  return access::check_view({terms.max_height, terms.languages});
}

}  // namespace reelway::origin
