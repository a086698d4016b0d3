#pragma once

#include <string>
#include <vector>

#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace reelway::cli {

// Objects of a bucket, and imports, as tables. From the origin's answers, without trust.
std::string objects_report(const std::vector<Json>& objects, const Terminal& terminal);
std::string imports_report(const Json& answer, const Terminal& terminal);

}  // namespace reelway::cli
