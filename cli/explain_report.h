#pragma once

#include <cstdint>
#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace reelway::cli {

// Shows what local_verdict() found. Pure.
std::string verdict_report(const Json& verdict, std::int64_t now_s, const Terminal& terminal);

// Shows one edge's answer to explain, or the error of asking it: its steps, cache key, tier, object, and what it would
// do.
std::string edge_report(const Json& answer, const Terminal& terminal);

}  // namespace reelway::cli
