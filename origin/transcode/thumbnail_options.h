#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/config/settings.h"

namespace reelway::origin {

// The small pictures that each film gets, for whoever seeks in it.
struct ThumbnailOptions {
  std::vector<std::uint32_t> widths{320};  // rising; empty: none are made
  std::chrono::milliseconds interval{10'000};
};

// "thumbnails.widths" ..., to be appended to the origin's option table.
std::span<const config::Option> thumbnail_options();
// config_value_invalid names the option and what was expected.
Result<ThumbnailOptions> thumbnail_options(const config::Settings& settings);

}  // namespace reelway::origin
