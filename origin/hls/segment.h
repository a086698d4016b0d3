#pragma once

#include <cstdint>

#include "origin/hls/timeline.h"

namespace reelway::origin::hls {

// The length of a media segment, without building it.
std::uint64_t segment_bytes(const mp4::TrackIndex& index, SegmentUnits units);

}  // namespace reelway::origin::hls
