#include "origin/hls/bit_rates.h"

#include <algorithm>
#include <vector>

#include "origin/hls/segment.h"
#include "origin/mp4/ticks.h"

namespace reelway::origin::hls {
namespace {

// Rounded up: a declared rate is never below the measured one.
std::uint64_t rate(SegmentWeight weight, std::uint32_t timescale) {
  if (weight.ticks == 0) return 0;
  const mp4::Uint128 bits = mp4::Uint128{weight.bytes} * 8 * timescale;
  return static_cast<std::uint64_t>((bits + weight.ticks - 1) / weight.ticks);
}

}  // namespace

BitRates bit_rates(std::span<const SegmentWeight> segments, std::uint32_t timescale, std::uint32_t target_seconds) {
  SegmentWeight all;
  for (const SegmentWeight& segment : segments) {
    all.bytes += segment.bytes;
    all.ticks += segment.ticks;
  }
  const std::uint64_t target = std::uint64_t{target_seconds} * timescale;
  BitRates rates{0, rate(all, timescale)};
  for (std::size_t first = 0; first < segments.size(); ++first) {
    SegmentWeight run;
    for (std::size_t i = first; i < segments.size(); ++i) {
      run.bytes += segments[i].bytes;
      run.ticks += segments[i].ticks;
      if (run.ticks * 2 > target * 3) break;
      if (run.ticks * 2 >= target) rates.peak = std::max(rates.peak, rate(run, timescale));
    }
  }
  rates.peak = std::max(rates.peak, rates.average);
  return rates;
}

BitRates bit_rates(const mp4::TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t target_seconds,
                   Packaging packaging) {
  std::vector<SegmentWeight> segments;
  for (std::uint32_t n = 0; n < segment_count(index, units_per_segment); ++n) {
    const SegmentUnits units = segment_units(index, units_per_segment, n);
    segments.push_back({segment_bytes(index, units, packaging), segment_ticks(index, units)});
  }
  return bit_rates(segments, index.timescale, target_seconds);
}

}  // namespace reelway::origin::hls
