#pragma once

#include <cstdint>
#include <span>

#include "origin/hls/presentation.h"

namespace reelway::origin::hls {

struct BitRates {
  std::uint64_t peak = 0;  // bits per second
  std::uint64_t average = 0;
};

// What a segment weighs and how long it lasts.
struct SegmentWeight {
  std::uint64_t bytes = 0;
  std::uint64_t ticks = 0;
};

// Measured over the segments as this packaging sends them, headers included. The peak is that of any run of
// neighbouring segments that lasts from half to one and a half target durations (RFC 8216bis section 4.4.6.2), so a
// short last segment alone does not count.
BitRates bit_rates(const mp4::TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t target_seconds,
                   Packaging packaging = Packaging::cmaf);
// The same of any segments in their order.
BitRates bit_rates(std::span<const SegmentWeight> segments, std::uint32_t timescale, std::uint32_t target_seconds);

}  // namespace reelway::origin::hls
