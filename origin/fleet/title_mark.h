#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/fleet/beat.h"

// Titles that were taken off, in the part of the control store that edges follow. Pure.
//
//   /v1/rights/title/<title>  {"format":1,"withdrawn":true}
//
// A title that was never taken off has no such record; one that was put on again keeps it, with false.

namespace reelway::origin {

inline constexpr std::string_view kTitleMarkPrefix = "/v1/rights/title/";

std::string title_mark_key(std::string_view title);
std::string title_mark_json(bool withdrawn);
// Whether the title is withdrawn; stored_data_corrupt names the key.
Result<bool> parse_title_mark(std::string_view key, std::string_view json);

}  // namespace reelway::origin
