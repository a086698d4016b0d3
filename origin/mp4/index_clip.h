#pragma once

#include <cstdint>

#include "origin/mp4/track_index.h"

namespace reelway::origin::mp4 {

// The units [first, end) of a film as a film of their own: an index of the same track file, whose times begin at 0 with
// the first picture of the clip. All that is packaged from an index is packaged from this one alike.
struct ClipRange {
  std::uint32_t first = 0, end = 0;  // units of the reference
  // When the clip begins and ends, in ticks of `timescale`: the reference's, so that all tracks begin together.
  std::uint64_t start = 0, finish = 0;
  std::uint32_t timescale = 1;
};
// The range by the film's first video track. clip_invalid when it has no such units.
Result<ClipRange> clip_range(const TrackIndex& reference, std::uint32_t first, std::uint32_t end);
// clip_invalid when the track has nothing in the range.
Result<TrackIndex> clip_of(const TrackIndex& index, const ClipRange& range);

}  // namespace reelway::origin::mp4
