#pragma once

#include <cstdint>

namespace reelway::origin {

// Of the upright picture in the source's own pixels; even numbers.
struct CropFrame {
  std::uint32_t width = 0, height = 0, x = 0, y = 0;
  bool operator==(const CropFrame&) const = default;
};

}  // namespace reelway::origin
