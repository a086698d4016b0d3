#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "origin/rights/rights_services.h"

namespace reelway::origin {

inline constexpr std::int64_t kPositionSecondsMax = 7 * 86'400;
// A heartbeat of a session that was renewed less than this ago (or half of session_renew_s, if that is less) writes
// nothing: however often a player sends one, the store syncs no more often.
inline constexpr std::int64_t kRenewalSpacingSeconds = 10;

// What a player tells while it plays, by way of an edge that has verified the token: session, entitlement and title
// are the token's.
struct Heartbeat {
  std::string session;      // hex
  std::string entitlement;  // rights::id_text
  std::string title;
  std::optional<std::int64_t> position_s;
  bool ended = false;  // the player has stopped: its slot is free at once
};

// Renews the session's slot, or takes one again if it lapsed and the limit allows; keeps the position; signs a new
// token for the same session. Answers {token, path, heartbeat_path, expires_at_s, next_s, view_until_s}, or for an
// ended one {ended: true}. entitlement_not_found, the denials of rights::denial(), stream_limit_reached,
// session_not_found (its device plays in a newer session), http_bad_request.
Result<nlohmann::json> heartbeat(const RightsServices& services, const Heartbeat& beat);

}  // namespace reelway::origin
