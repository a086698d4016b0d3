#pragma once

#include <cstdint>
#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "common/base/result.h"

// How orders, entitlements, offers and edges, as the origin's API gives them, are shown to people. Pure.

namespace reelway::cli {

// Where an entitlement stands and until when: "starts before 2027-01-15 08:00:00 UTC". Of one that somebody ended, also
// what that was called and why.
std::string standing_text(const Json& entitlement);
std::string order_report(const Json& order);
// Names the idempotency key when the order may have been made, or can be: under it, it is made once.
Error order_error(Error error, const std::string& key);
std::string revoke_report(const Json& answer);
// Whether the answer to a playback names a URL to play. config_key_missing: no edge is known.
Result<void> check_edge_known(const Json& playback);
std::string entitlements_report(const Json& answer, const Terminal& terminal);
std::string offers_report(const Json& answer, const Terminal& terminal);
std::string edges_report(const Json& answer, const Terminal& terminal);

}  // namespace reelway::cli
