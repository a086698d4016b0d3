#include "origin/rights/sessions.h"

#include <algorithm>

#include "common/base/encoding.h"
#include "origin/rights/decide.h"
#include "origin/rights/playback.h"
#include "origin/rights/protecting.h"
#include "origin/rights/slots.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<void> check_beat(const Heartbeat& beat) {
  const auto session = from_hex(beat.session);
  if (!session || session->size() != access::SessionId{}.size()) {
    return error_of(ErrorCode::http_bad_request, "session: expected 32 hexadecimal digits");
  }
  if (beat.position_s && (*beat.position_s < 0 || *beat.position_s > kPositionSecondsMax)) {
    return error_of(ErrorCode::http_bad_request, "position_s: expected 0 to " + std::to_string(kPositionSecondsMax));
  }
  return {};
}

struct Renewed {
  EntitlementRecord entitlement;
  Revision revision = 0;
};

Result<void> renew_or_free(const RightsServices& services, const Heartbeat& beat, const EntitlementRecord& entitlement,
                           Slots& slots, std::int64_t now_s) {
  if (beat.ended) {
    free_slot(slots, beat.session, now_s);
    return {};
  }
  Slot wanted;
  wanted.session = beat.session;
  wanted.entitlement = beat.entitlement;
  wanted.title = beat.title;
  wanted.deadline_s = now_s + services.options.session_free_after_s;
  wanted.started_s = now_s;
  const Result<Slot> renewed = renew_slot(slots, wanted, entitlement.terms.streams_max, now_s);
  if (!renewed.ok()) return renewed.error();
  return {};
}

bool is_renewed_lately(const RightsServices& services, const Heartbeat& beat, const Slots& slots, std::int64_t now_s) {
  const auto mine =
      std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) { return slot.session == beat.session; });
  if (mine == slots.end() || mine->entitlement != beat.entitlement || mine->title != beat.title) return false;
  const std::int64_t spacing_s = std::min(kRenewalSpacingSeconds, services.options.session_renew_s / 2);
  const std::int64_t renewed_s = mine->deadline_s - services.options.session_free_after_s;
  return is_live(*mine, now_s) && now_s - renewed_s < spacing_s;
}

// An ended session is freed and its position kept whatever its entitlement says.
Result<std::optional<Renewed>> attempt_renewal(const RightsServices& services, const Heartbeat& beat,
                                               const rights::EntitlementId& id, bool& unknown) {
  Txn txn;
  auto entitlement = find<EntitlementRecord>(services.store, entitlement_key(id), parse_entitlement, txn.compares);
  if (!entitlement.ok()) return std::move(entitlement).error();
  if (!entitlement->value || entitlement->value->title != beat.title) {
    return error_of(ErrorCode::entitlement_not_found, beat.entitlement + " of title " + beat.title);
  }
  const EntitlementRecord& record = *entitlement->value;
  const std::int64_t now_s = services.time.now_s();
  const auto denial = rights::denial(record.record, now_s);
  if (denial && !beat.ended) return deny<Renewed>(services.store, std::move(txn.compares), *denial, unknown);

  const auto slots = find<Slots>(services.store, slots_key(record.account), parse_slots, txn.compares);
  if (!slots.ok()) return slots.error();
  const Slots before = slots->value.value_or(Slots());
  Slots after = before;
  const bool writes = beat.ended || !is_renewed_lately(services, beat, before, now_s);
  if (writes) {
    const auto held = renew_or_free(services, beat, record, after, now_s);
    if (!held.ok()) return deny<Renewed>(services.store, std::move(txn.compares), held.error(), unknown);
  }
  if (after != before) txn.then_operations.push_back(Operation::put(slots_key(record.account), to_json(after)));
  if (writes && beat.position_s) {
    txn.then_operations.push_back(
        Operation::put(position_key(record.account, beat.title), to_json(ResumePosition{*beat.position_s, now_s})));
  }
  const Result<TxnReply> reply = commit(services.store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<Renewed>();
  return std::optional(Renewed{std::move(*entitlement->value), entitlement->revision});
}

}  // namespace

Result<json> heartbeat(const RightsServices& services, const Heartbeat& beat) {
  REELWAY_TRY(check_beat(beat));
  const auto id = rights::parse_entitlement_id(beat.entitlement);
  if (!id) return error_of(ErrorCode::entitlement_not_found, beat.entitlement);
  const Result<Renewed> renewed =
      decide<Renewed>(services.turns, "of entitlement " + beat.entitlement,
                      [&](bool& unknown) { return attempt_renewal(services, beat, *id, unknown); });
  if (!renewed.ok()) return renewed.error();
  if (beat.ended) return json{{"ended", true}};

  const Result<std::string> version = services.catalog.current_version(beat.title);
  if (!version.ok()) return version.error();
  if (services.keys.stale()) REELWAY_TRY(services.keys.refresh());
  const Result<std::string> folder = play_folder(services, beat.title, *version, {});
  if (!folder.ok()) return folder.error();
  const Result<PlayUrl> play_url =
      issue_session_url(services, renewed->entitlement, renewed->revision, beat.session, *version, {}, *folder);
  if (!play_url.ok()) return play_url.error();
  return json{{"token", play_url->token},
              {"path", play_url->path},
              {"heartbeat_path", heartbeat_path(play_url->token, beat.title)},
              {"expires_at_s", play_url->expires_s},
              {"next_s", services.options.session_renew_s},
              {"view_until_s", renewed->entitlement.record.view_until_s}};
}

}  // namespace reelway::origin
