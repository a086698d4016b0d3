#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/config/settings.h"

namespace reelway::config {

// A page for docs/reference: every option of a program as a Markdown table. `program` is its name, "reelway-edge".
std::string reference_page(std::span<const Option> table, std::string_view program);

}  // namespace reelway::config
