#pragma once

#include <optional>
#include <string_view>

#include "common/base/result.h"

namespace reelway::edge {

// Whether an Authorization field carries the credential as "Bearer <credential>": credential_missing or
// credential_wrong. The time it takes tells nothing of how much of a guess was right.
Result<void> check_credential(std::optional<std::string_view> authorization, std::string_view credential);

}  // namespace reelway::edge
