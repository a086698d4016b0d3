#include "origin/hls/timeline.h"

#include <algorithm>

#include "common/base/check.h"
#include "origin/mp4/ticks.h"

namespace reelway::origin::hls {
namespace {

constexpr std::uint64_t kMicro = 1'000'000;

}  // namespace

std::uint32_t segment_count(const mp4::TrackIndex& index, std::uint32_t units_per_segment) {
  CHECK(units_per_segment > 0);
  const std::size_t count = (index.units.size() + units_per_segment - 1) / units_per_segment;
  return static_cast<std::uint32_t>(count);
}

SegmentUnits segment_units(const mp4::TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t segment) {
  CHECK(segment < segment_count(index, units_per_segment));
  const std::uint32_t first = segment * units_per_segment;
  const auto left = static_cast<std::uint32_t>(index.units.size()) - first;
  return {first, std::min(units_per_segment, left)};
}

std::uint64_t segment_ticks(const mp4::TrackIndex& index, SegmentUnits units) {
  return mp4::unit_start(index, units.first + units.count) - mp4::unit_start(index, units.first);
}

std::uint64_t segment_microseconds(const mp4::TrackIndex& index, SegmentUnits units) {
  const auto at = [&index](std::uint32_t unit) {
    return mp4::rescale(mp4::unit_start(index, unit), kMicro, index.timescale);
  };
  return at(units.first + units.count) - at(units.first);
}

std::uint32_t target_seconds(const mp4::TrackIndex& index, std::uint32_t units_per_segment) {
  std::uint64_t longest = 0;
  for (std::uint32_t n = 0; n < segment_count(index, units_per_segment); ++n) {
    longest = std::max(longest, segment_microseconds(index, segment_units(index, units_per_segment, n)));
  }
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (longest + kMicro / 2) / kMicro));
}

std::uint32_t target_seconds(const Presentation& presentation) {
  std::uint32_t target = 1;
  for (const Track& track : presentation.tracks) {
    target = std::max(target, target_seconds(*track.index, presentation.units_per_segment));
  }
  return target;
}

}  // namespace reelway::origin::hls
