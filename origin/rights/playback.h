#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/access/token.h"
#include "origin/fleet/play_url.h"
#include "origin/rights/records.h"
#include "origin/rights/rights_services.h"

namespace reelway::origin {

inline constexpr std::size_t kDeviceBytesMax = 128;

struct PlaybackRequest {
  std::string account;
  std::string title;
  std::string device;                      // the platform's name for it, without control characters
  std::vector<std::string> edges;          // base URLs; empty: the healthy ones
  std::optional<std::string> packaging{};  // "cmaf" or its folder; absent: what the version is handed out as
};

struct Playback {
  std::string session;  // hex
  EntitlementRecord entitlement;
  std::string version;
  PlayUrl play_url;  // its first URL is the one to play; without any known edge its path alone
  std::vector<std::string> heartbeat_urls;
  std::int64_t resume_s = 0;  // where the account left off
};

// Begins to play: checks the entitlement, starts its clock if this is the first time, takes a slot for the device and
// signs a token, which lives until the entitlement ends or token_lifetime_max_s from now, whichever comes first.
//
// Entitlement, clock and slot are decided in one transaction, so however many devices begin at once there is one clock
// and never a slot too many; a device that presses again gets the session that it has.
// account_id_invalid, http_bad_request, title_not_found, title_not_published, entitlement_missing, the denials of
// rights::denial(), stream_limit_reached, packaging_not_offered.
Result<Playback> start_playback(const RightsServices& services, const PlaybackRequest& request);

// The token of a session that may play now, and the URLs with it. The denials of rights::denial().
Result<PlayUrl> issue_session_url(const RightsServices& services, const EntitlementRecord& entitlement,
                                  Revision revision, const std::string& session, const std::string& version,
                                  std::vector<std::string> edges, const std::string& folder = {});
// "/t/<token>/<title>/heartbeat".
std::string heartbeat_path(const std::string& token, const std::string& title);

}  // namespace reelway::origin
