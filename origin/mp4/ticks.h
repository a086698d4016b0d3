#pragma once

#include <cstdint>

// Times are integers in a timescale (ticks per second). Converting and comparing them never goes through floating
// point or a rounded intermediate: sums of rounded times drift.

namespace reelway::origin::mp4 {

__extension__ using Uint128 = unsigned __int128;

// value * to / from, rounded to the nearest, halves up. from != 0. The caller bounds the result to 64 bits.
constexpr std::uint64_t rescale(std::uint64_t value, std::uint64_t to, std::uint64_t from) {
  return static_cast<std::uint64_t>((Uint128{value} * to + from / 2) / from);
}

// Whether time a / scale_a comes before time b / scale_b.
constexpr bool before(std::uint64_t a, std::uint32_t scale_a, std::uint64_t b, std::uint32_t scale_b) {
  return Uint128{a} * scale_b < Uint128{b} * scale_a;
}

}  // namespace reelway::origin::mp4
