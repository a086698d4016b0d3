#pragma once

#include <cstdint>

#include "origin/hls/timeline.h"

namespace reelway::origin::hls {

// The length of a media segment, without building it. Of packagings whose length depends on the media's bytes
// (SAMPLE-AES of transport streams) it is what encryption leaves it at on average.
std::uint64_t segment_bytes(const mp4::TrackIndex& index, SegmentUnits units, Packaging packaging = Packaging::cmaf);

// Of fragmented MP4 in the clear, which the others are made from.
std::uint64_t clear_segment_bytes(const mp4::TrackIndex& index, SegmentUnits units);

}  // namespace reelway::origin::hls
