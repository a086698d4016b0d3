#pragma once

#include <string>

#include "cli/json_fields.h"
#include "cli/progress.h"
#include "cli/terminal.h"

// How jobs and their parts, as the origin's API gives them, are shown to people. Pure.

namespace reelway::cli {

std::string jobs_report(const Json& answer, const Terminal& terminal);
std::string job_report(const Json& job, const Terminal& terminal);

// One running job's line: its stage with how far that is, how far the whole is, and how long it will still take.
void show_job_progress(ProgressDisplay& display, const Json& job);
// "3 min"; "-" while nothing is known.
std::string time_left(const Json& job);

}  // namespace reelway::cli
