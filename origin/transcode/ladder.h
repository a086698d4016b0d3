#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reelway::origin {

// One rendition of the video.
struct Rung {
  std::uint32_t width = 0, height = 0;  // even
  std::uint32_t bits_per_second = 0;    // average; the peak is 1.5 times that
  std::string track_id;                 // "video/720"
  std::uint32_t table_bits = 0;         // what the table gives a picture of that size, whatever the film
  bool operator==(const Rung&) const = default;
};

// The renditions of a film of that size (as shown) and frame rate, from highest to lowest: each fits into its box and
// keeps the aspect, none is larger than the source, heights differ. One at least, two from 200 lines on.
std::vector<Rung> ladder(std::uint32_t width, std::uint32_t height, double frames_per_second);

}  // namespace reelway::origin
