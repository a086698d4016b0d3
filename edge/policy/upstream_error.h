#pragma once

#include <optional>
#include <string_view>

#include "common/base/error.h"

namespace reelway::edge {

// What an upstream answer that is no 200 means for the client, in this edge's own codes. `error_name` is the answer's
// Reelway-Error field, if any: "no such thing" passes through under its own name, everything else is the upstream's
// fault.
Error upstream_error(std::uint16_t status, std::optional<std::string_view> error_name, std::string_view object_path);

}  // namespace reelway::edge
