#pragma once

#include <string>
#include <string_view>

namespace reelway::telemetry {

// For a line of the log: control bytes become \n, \t or \x1b, so that what a client sends can neither begin a line of
// its own nor steer a terminal; a backslash becomes two.
std::string escape_control(std::string_view text);

// Appends `text` as a JSON string in quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace reelway::telemetry
