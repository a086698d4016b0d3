#pragma once

#include <cstdint>

namespace reelway::origin {

// A range of a track file with its sum, as the track's index gives it. The units of a file lie in order and do not
// overlap.
struct CheckedUnit {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
};

}  // namespace reelway::origin
