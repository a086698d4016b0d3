#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

// What the quality checks found, as the origin's API gives it, shown to people. Pure.

namespace reelway::cli {

std::string quality_report(const Json& report, const Terminal& terminal);
// After a waiver: what it was, and what still holds the version.
std::string waived_report(const Json& report, const std::string& finding);

}  // namespace reelway::cli
