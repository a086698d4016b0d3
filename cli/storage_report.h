#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace reelway::cli {

// Where the files of each version are, with what was found in them; with `each_file` a row for each file.
std::string storage_report(const Json& answer, bool each_file, const Terminal& terminal);
// What was removed, or would be.
std::string collection_report(const Json& answer, const Terminal& terminal);
// How a run of the scrubber ended, and how far the round is that goes by itself.
std::string scrub_report(const Json& answer);

}  // namespace reelway::cli
