#pragma once

#include <cstdint>

#include "origin/mp4/ticks.h"

// The clock of transport streams (ISO/IEC 13818-1 section 2.4.3.6): 90,000 ticks a second, counted in 33 bits, so it
// begins anew every 26.5 hours. Presentation time 0 of a film is at kTsOriginTicks in every rendition and packaging
// that has this clock; a segment of WebVTT says the same in its X-TIMESTAMP-MAP (RFC 8216bis section 3.1.4).

namespace reelway::origin::hls {

inline constexpr std::uint32_t kTsClockRate = 90'000;
inline constexpr std::uint64_t kTsClockMask = (std::uint64_t{1} << 33) - 1;

// 10 s, as Apple's own tools have it: far enough from 0 that nothing which is decoded before presentation time 0 (the
// delay of B-frames, the priming of AAC) nor the clock reference that runs ahead of it lies before the clock's 0, where
// it would come out as 26.5 hours.
inline constexpr std::uint64_t kTsOriginTicks = 900'000;

// Ticks from presentation time 0, rounded to the nearest, halves up; not yet cut to 33 bits. Rounding each time on its
// own keeps every one within 5.6 microseconds, less than a sample of sound, however long the film is.
constexpr std::int64_t ts_ticks(std::int64_t time, std::uint32_t timescale) {
  constexpr std::int64_t exact = std::int64_t{1} << 45;  // below it the products fit 64 bits
  if (time >= 0 && time < exact) {
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(time) * kTsClockRate + timescale / 2) / timescale);
  }
  if (time >= 0)
    return static_cast<std::int64_t>(mp4::rescale(static_cast<std::uint64_t>(time), kTsClockRate, timescale));
  // Halves up on this side of 0 too: the ceiling of the positive amount less a half.
  const mp4::Uint128 amount = mp4::Uint128{static_cast<std::uint64_t>(-time)} * kTsClockRate;
  return -static_cast<std::int64_t>((amount + (timescale - 1) / 2) / timescale);
}

constexpr std::uint64_t ts_clock(std::int64_t ticks) {
  return (kTsOriginTicks + static_cast<std::uint64_t>(ticks)) & kTsClockMask;
}

}  // namespace reelway::origin::hls
