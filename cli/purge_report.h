#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace reelway::cli {

// What each edge matched: {"edges":[{"edge", "objects", "memory_objects", "disk_objects", "keys", "truncated"} or
// {"edge", "error"}, ...]}, as text.
std::string purge_report(const Json& result, const Terminal& terminal);

}  // namespace reelway::cli
