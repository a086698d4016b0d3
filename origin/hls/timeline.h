#pragma once

#include <cstdint>

#include "origin/hls/presentation.h"

// How a track falls into segments: which units, when, and for how long. Times in playlists are whole microseconds of
// the rational time of each boundary, so a sum of durations is off by at most one microsecond however long it is.

namespace reelway::origin::hls {

struct SegmentUnits {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// segment < segment_count(index, units_per_segment).
SegmentUnits segment_units(const mp4::TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t segment);

std::uint64_t segment_ticks(const mp4::TrackIndex& index, SegmentUnits units);
std::uint64_t segment_microseconds(const mp4::TrackIndex& index, SegmentUnits units);

// EXT-X-TARGETDURATION: the longest segment of any track, rounded to whole seconds. The same in every playlist of a
// presentation (Apple 8.2).
std::uint32_t target_seconds(const Presentation& presentation);
std::uint32_t target_seconds(const mp4::TrackIndex& index, std::uint32_t units_per_segment);

}  // namespace reelway::origin::hls
