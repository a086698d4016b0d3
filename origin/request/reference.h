#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelway::origin {

// A page of docs/reference as this program prints it with --print-reference: "errors", "config" or "metrics".
std::optional<std::string> reference_text(std::string_view page);

}  // namespace reelway::origin
