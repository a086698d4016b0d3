#pragma once

#include <cstdint>
#include <span>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "origin/transcode/thumbnail_options.h"

namespace reelway::origin {

// What the origin decides about pictures; its workers are told by the plan.
struct PictureOptions {
  bool per_title = true;
  std::uint32_t rate_percent_max = 100;  // of the table's rate
  bool crop = true;                      // by the finding of the quality checks
  ThumbnailOptions thumbnails{};
};

// "transcode.per_title" ..., to be appended to the origin's option table.
std::span<const config::Option> picture_options();
// config_value_invalid names the option and what was expected.
Result<PictureOptions> picture_options(const config::Settings& settings);

}  // namespace reelway::origin
