#pragma once

#include <cstdint>
#include <string>

namespace reelway::origin {

// "2026-11-21T22:33:00.123Z": ISO 8601 in UTC with milliseconds, as every date of the API.
std::string iso_time(std::int64_t unix_ms);

}  // namespace reelway::origin
