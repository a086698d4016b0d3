#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

// How titles, versions and renditions, as the origin's API gives them, are shown to people. Pure.

namespace reelway::cli {

std::string titles_report(const Json& answer, const Terminal& terminal);
std::string title_report(const Json& title, const Terminal& terminal);
std::string version_report(const Json& version, const Terminal& terminal);
// "code: message (detail). Remedy: ..." of an error in a server's JSON, which may also be plain text.
std::string error_text(const Json& error);

}  // namespace reelway::cli
