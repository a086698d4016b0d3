#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::origin {

inline constexpr std::string_view kKeysPath = "/.reelway/v1/keys";

// "/<title>/<version>/<resource>" taken apart. Views into the path given.
struct MediaPath {
  std::string_view title;
  std::string_view version;
  std::string_view resource;
};

// http_not_found when the path has another shape.
Result<MediaPath> parse_media_path(std::string_view path);

}  // namespace reelway::origin
