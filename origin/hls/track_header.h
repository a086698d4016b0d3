#pragma once

#include <cstdint>

namespace reelway::origin::hls {

// Each track travels in files of its own, so all have the same number in them.
inline constexpr std::uint32_t kTrackId = 1;

}  // namespace reelway::origin::hls
