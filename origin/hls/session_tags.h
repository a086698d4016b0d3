#pragma once

#include <string>

#include "origin/hls/multivariant_playlist.h"

namespace reelway::origin::hls {

// EXT-X-VERSION that the order's tags need, and then the tags that concern all variants: definitions, steering, session
// data, keys.
std::string session_tags(const MultivariantOrder& order);

}  // namespace reelway::origin::hls
