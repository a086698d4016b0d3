#pragma once

#include <cstdint>
#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

// How orders, entitlements, offers and edges, as the origin's API gives them, are shown to people. Pure.

namespace reelway::cli {

// Where an entitlement stands and until when: "starts before 2027-01-15 08:00:00 UTC".
std::string standing_text(const Json& entitlement);
std::string order_report(const Json& order);
std::string entitlements_report(const Json& answer, const Terminal& terminal);
std::string offers_report(const Json& answer, const Terminal& terminal);
std::string edges_report(const Json& answer, const Terminal& terminal);

}  // namespace reelway::cli
