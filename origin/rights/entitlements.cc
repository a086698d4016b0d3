#include "origin/rights/entitlements.h"

#include "common/telemetry/log.h"
#include "origin/rights/slots.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr std::size_t kPage = 500;

Error not_found(std::string_view id) {
  return {ErrorCode::entitlement_not_found, Side::client, false, std::string(id)};
}

std::string standing(const rights::Record& record, std::int64_t now_s) {
  if (const auto denial = rights::denial(record, now_s)) return "ended:" + std::string(denial->info().name);
  return record.first_play_s != 0 ? "started" : "unstarted";
}

json live_sessions(const Slots& slots, std::int64_t now_s) {
  json list = json::array();
  for (const Slot& slot : slots) {
    if (!is_live(slot, now_s)) continue;
    list.push_back({{"session", slot.session},
                    {"entitlement", slot.entitlement},
                    {"title", slot.title},
                    {"device", slot.device},
                    {"started_at_s", slot.started_s},
                    {"deadline_s", slot.deadline_s}});
  }
  return list;
}

// The account's pointers name its entitlements.
Result<std::vector<EntitlementRecord>> newest_of_account(ControlStore& store, std::string_view account) {
  std::vector<EntitlementRecord> entitlements;
  std::string after;
  const std::string prefix = account_key(account, "");
  for (bool more = true; more && entitlements.size() < kEntitlementsListedMax;) {
    const Result<Page> page = store.range(prefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      after = entry.key;
      std::vector<Compare> unused;
      auto found = find_newest(store, account, std::string_view(entry.key).substr(prefix.size()), unused);
      if (!found.ok()) return std::move(found).error();
      if (found->value) entitlements.push_back(std::move(*found->value));
    }
    more = page->more;
  }
  return entitlements;
}

// Drops the streams of an entitlement that ends. Best effort: who must be cut off is cut off whatever is wrong with the
// account's slots, which lapse by themselves.
void free_its_slots(const RightsServices& services, const EntitlementRecord& entitlement, Txn& txn) {
  const std::string key = slots_key(entitlement.account);
  auto slots = find<Slots>(services.store, key, parse_slots, txn.compares);
  if (!slots.ok()) {
    const std::string id = rights::id_text(entitlement.id);
    telemetry::log_error("entitlement {} ends and its streams are not freed: {}", id, describe(slots.error()));
    return;
  }
  if (!slots->value) return;
  free_slots_of(*slots->value, rights::id_text(entitlement.id));
  txn.then_operations.push_back(Operation::put(key, to_json(*slots->value)));
}

struct Ended {
  EntitlementRecord entitlement;
  bool already = false;
};

Result<std::optional<Ended>> attempt_revoke(const RightsServices& services, const Revocation& revocation,
                                            const rights::EntitlementId& id, bool& unknown) {
  Txn txn;
  auto found = find<EntitlementRecord>(services.store, entitlement_key(id), parse_entitlement, txn.compares);
  if (!found.ok()) return std::move(found).error();
  if (!found->value) return not_found(revocation.id);
  EntitlementRecord& entitlement = *found->value;
  if (entitlement.record.state != rights::State::active) {
    // After an unknown outcome it may be what this very call has written.
    const bool as_asked = entitlement.record.state == revocation.state && entitlement.end_reason == revocation.reason;
    return std::optional(Ended{std::move(entitlement), !unknown || !as_asked});
  }
  entitlement.record.state = revocation.state;
  entitlement.ended_at_s = services.time.now_s();
  entitlement.end_reason = revocation.reason;
  txn.then_operations = {Operation::put(entitlement_key(id), to_json(entitlement))};
  free_its_slots(services, entitlement, txn);
  const Result<TxnReply> reply = commit(services.store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<Ended>();
  return std::optional(Ended{std::move(entitlement), false});
}

}  // namespace

Result<Found<EntitlementRecord>> find_newest(ControlStore& store, std::string_view account, std::string_view title,
                                             std::vector<Compare>& compares) {
  const auto id = find<rights::EntitlementId>(store, account_key(account, title), parse_newest_entitlement, compares);
  if (!id.ok()) return id.error();
  if (!id->value) return Found<EntitlementRecord>();
  return find<EntitlementRecord>(store, entitlement_key(*id->value), parse_entitlement, compares);
}

json entitlement_object(const EntitlementRecord& entitlement, std::int64_t now_s) {
  const rights::Record& record = entitlement.record;
  json object = terms_object(entitlement.terms);
  object.update({{"entitlement", rights::id_text(entitlement.id)},
                 {"account", entitlement.account},
                 {"title", entitlement.title},
                 {"offer", entitlement.offer},
                 {"kind", name_of(record.kind)},
                 {"state", name_of(record.state)},
                 {"standing", standing(record, now_s)},
                 {"ordered_at_s", entitlement.ordered_at_s},
                 {"start_by_s", record.start_by_s},
                 {"first_play_s", record.first_play_s},
                 {"view_until_s", record.view_until_s}});
  if (record.state != rights::State::active) {
    object["ended_at_s"] = entitlement.ended_at_s;
    object["end_reason"] = entitlement.end_reason;
  }
  return object;
}

Result<void> check_account(std::string_view account) {
  if (rights::is_account_id(account)) return {};
  return Error{ErrorCode::account_id_invalid, Side::client, false, std::string(account.substr(0, 80))};
}

Result<json> show_entitlement(const RightsServices& services, std::string_view id) {
  const auto parsed = rights::parse_entitlement_id(id);
  if (!parsed) return not_found(id);
  std::vector<Compare> unused;
  const auto found = find<EntitlementRecord>(services.store, entitlement_key(*parsed), parse_entitlement, unused);
  if (!found.ok()) return found.error();
  if (!found->value) return not_found(id);
  return entitlement_object(*found->value, services.time.now_s());
}

Result<json> list_entitlements(const RightsServices& services, std::string_view account) {
  REELWAY_TRY(check_account(account));
  const auto entitlements = newest_of_account(services.store, account);
  if (!entitlements.ok()) return entitlements.error();
  if (entitlements->empty()) {
    return Error{ErrorCode::account_not_found, Side::client, false, std::string(account)};
  }
  std::vector<Compare> unused;
  const auto slots = find<Slots>(services.store, slots_key(account), parse_slots, unused);
  if (!slots.ok()) return slots.error();
  const std::int64_t now_s = services.time.now_s();
  json list = json::array();
  for (const EntitlementRecord& entitlement : *entitlements) list.push_back(entitlement_object(entitlement, now_s));
  return json{{"account", account},
              {"entitlements", std::move(list)},
              {"sessions", live_sessions(slots->value.value_or(Slots()), now_s)}};
}

Result<json> revoke_entitlement(const RightsServices& services, const Revocation& revocation) {
  const auto id = rights::parse_entitlement_id(revocation.id);
  if (!id) return not_found(revocation.id);
  const auto ended = decide<Ended>(services.turns, "of entitlement " + revocation.id,
                                   [&](bool& unknown) { return attempt_revoke(services, revocation, *id, unknown); });
  if (!ended.ok()) return ended.error();
  json answer = entitlement_object(ended->entitlement, services.time.now_s());
  answer["already_ended"] = ended->already;
  return answer;
}

}  // namespace reelway::origin
