#include "origin/rights/playback.h"

#include <algorithm>

#include "common/base/encoding.h"
#include "common/telemetry/log.h"
#include "origin/rights/entitlements.h"
#include "origin/rights/protecting.h"
#include "origin/rights/slots.h"

namespace reelway::origin {
namespace {

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<void> check_request(const PlaybackRequest& request) {
  REELWAY_TRY(check_account(request.account));
  const std::string& device = request.device;
  // It is text of JSON, so it is UTF-8.
  const bool visible =
      std::all_of(device.begin(), device.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (!device.empty() && device.size() <= kDeviceBytesMax && visible) return {};
  return error_of(ErrorCode::http_bad_request, "field \"device\": expected 1 to " + std::to_string(kDeviceBytesMax) +
                                                   " bytes without control characters");
}

// A device that may play: what the transaction has made of it.
struct Grant {
  EntitlementRecord entitlement;
  Revision revision = 0;  // of the entitlement
  Slot slot;
};

// Starts the clock, takes the slot, and writes of both only what has changed.
Result<std::optional<Grant>> write_grant(const RightsServices& services, Found<EntitlementRecord> entitlement,
                                         Found<Slots> slots, const Slot& wanted, std::int64_t now_s, Txn txn,
                                         bool& unknown) {
  Grant grant{std::move(*entitlement.value), entitlement.revision, {}};
  const Slots before = slots.value.value_or(Slots());
  Slots after = before;
  const Result<Slot> slot = take_slot(after, wanted, grant.entitlement.terms.streams_max, now_s);
  if (!slot.ok()) return deny<Grant>(services.store, std::move(txn.compares), slot.error(), unknown);
  grant.slot = *slot;
  const rights::Record started = rights::started(grant.entitlement.record, grant.entitlement.terms, now_s);
  const bool starts = started != grant.entitlement.record;
  if (starts) {
    grant.entitlement.record = started;
    txn.then_operations.push_back(Operation::put(entitlement_key(grant.entitlement.id), to_json(grant.entitlement)));
  }
  if (after != before) {
    txn.then_operations.push_back(Operation::put(slots_key(grant.entitlement.account), to_json(after)));
  }
  const Result<TxnReply> reply = commit(services.store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<Grant>();
  if (starts) grant.revision = reply->revision;
  return std::optional(std::move(grant));
}

Result<std::optional<Grant>> attempt_playback(const RightsServices& services, const PlaybackRequest& request,
                                              const std::string& new_session, bool& unknown) {
  Txn txn;
  auto entitlement = find_newest(services.store, request.account, request.title, txn.compares);
  if (!entitlement.ok()) return std::move(entitlement).error();
  const std::int64_t now_s = services.time.now_s();
  if (!entitlement->value) {
    return deny<Grant>(services.store, std::move(txn.compares),
                       error_of(ErrorCode::entitlement_missing, "title " + request.title), unknown);
  }
  if (auto denial = rights::denial(entitlement->value->record, now_s)) {
    return deny<Grant>(services.store, std::move(txn.compares), std::move(*denial), unknown);
  }
  auto slots = find<Slots>(services.store, slots_key(request.account), parse_slots, txn.compares);
  if (!slots.ok()) return std::move(slots).error();
  Slot wanted;
  wanted.session = new_session;
  wanted.entitlement = rights::id_text(entitlement->value->id);
  wanted.title = request.title;
  wanted.device = request.device;
  wanted.deadline_s = now_s + services.options.session_free_after_s;
  wanted.started_s = now_s;
  return write_grant(services, std::move(entitlement).value(), std::move(slots).value(), wanted, now_s, std::move(txn),
                     unknown);
}

std::vector<std::string> edges_for(const RightsServices& services, const PlaybackRequest& request) {
  if (!request.edges.empty()) return request.edges;
  std::vector<std::string> edges;
  if (services.healthy_edges) edges = services.healthy_edges();
  return edges.empty() ? services.options.public_edges : edges;
}

// From the beginning when it cannot be read: that keeps nobody from playing.
std::int64_t resume_position_s(const RightsServices& services, const PlaybackRequest& request) {
  std::vector<Compare> unused;
  const auto position =
      find<ResumePosition>(services.store, position_key(request.account, request.title), parse_position, unused);
  if (position.ok()) return position->value ? position->value->position_s : 0;
  telemetry::log_error("resume position: {}", describe(position.error()));
  return 0;
}

}  // namespace

Result<Playback> start_playback(const RightsServices& services, const PlaybackRequest& request) {
  REELWAY_TRY(check_request(request));
  // First what could keep the film from playing: a clock that was started for nothing cannot be stopped again.
  const Result<std::string> version = services.catalog.current_version(request.title);
  if (!version.ok()) return version.error();
  const Result<std::string> folder = play_folder(services, request.title, *version, request.packaging);
  if (!folder.ok()) return folder.error();
  if (services.keys.stale()) REELWAY_TRY(services.keys.refresh());
  const std::vector<std::string> edges = edges_for(services, request);
  Playback playback;
  playback.resume_s = resume_position_s(services, request);
  const std::string new_session = services.random.hex_id();
  const Result<Grant> grant = decide<Grant>(services.turns, request.account, [&](bool& unknown) {
    return attempt_playback(services, request, new_session, unknown);
  });
  if (!grant.ok()) return grant.error();

  playback.session = grant->slot.session;
  playback.entitlement = grant->entitlement;
  playback.version = *version;
  Result<PlayUrl> play_url =
      issue_session_url(services, grant->entitlement, grant->revision, playback.session, *version, edges, *folder);
  if (!play_url.ok()) return std::move(play_url).error();
  playback.play_url = std::move(play_url).value();
  for (const std::string& edge : edges) {
    playback.heartbeat_urls.push_back(edge + heartbeat_path(playback.play_url.token, request.title));
  }
  return playback;
}

Result<PlayUrl> issue_session_url(const RightsServices& services, const EntitlementRecord& entitlement,
                                  Revision revision, const std::string& session, const std::string& version,
                                  std::vector<std::string> edges, const std::string& folder) {
  const auto session_bytes = from_hex(session);
  access::SessionId session_id{};
  if (!session_bytes || session_bytes->size() != session_id.size()) {
    return error_of(ErrorCode::http_bad_request, "the session is no text of 32 hexadecimal digits");
  }
  std::copy(session_bytes->begin(), session_bytes->end(), session_id.begin());
  PlayUrlRequest request;
  request.title = entitlement.title;
  request.version = version;
  request.folder = folder;
  request.edges = std::move(edges);
  request.session = session_id;
  request.entitlement = access::EntitlementClaim{entitlement.id, revision};
  request.view = {entitlement.terms.max_height, entitlement.terms.languages};
  const std::int64_t ends_s = rights::plays_until(entitlement.record);
  const std::int64_t latest_s = services.time.now_s() + services.options.token_lifetime_max_s;
  request.expires_s = ends_s == 0 ? latest_s : std::min(ends_s, latest_s);
  Result<PlayUrl> play_url = issue_play_url(request, services.keys, services.time, services.random);
  if (play_url.ok()) return play_url;
  // The second of its end may have come since it was found to play.
  if (auto denial = rights::denial(entitlement.record, services.time.now_s())) return std::move(*denial);
  return play_url;
}

std::string heartbeat_path(const std::string& token, const std::string& title) {
  return "/t/" + token + "/" + title + "/heartbeat";
}

}  // namespace reelway::origin
