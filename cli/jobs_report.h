#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/terminal.h"

// How jobs and their parts, as the origin's API gives them, are shown to people. Pure.

namespace reelway::cli {

std::string jobs_report(const Json& answer, const Terminal& terminal);
std::string job_report(const Json& job, const Terminal& terminal);

}  // namespace reelway::cli
