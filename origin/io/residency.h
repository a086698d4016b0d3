#pragma once

#include <cstdint>
#include <memory>

#include "common/base/result.h"

namespace reelway::origin {

// Whether bytes of an open file are in memory, so that sending them cannot wait for the disk. A seam: tests answer for
// the page cache.
class Residency {
 public:
  virtual ~Residency() = default;
  // True only if every page of the range is in memory and up to date. Does not block.
  virtual bool resident(std::uint64_t offset, std::uint64_t count) const = 0;
};

// Asks the kernel with mincore(2) over a read-only mapping, which is made once and never read through.
Result<std::unique_ptr<Residency>> map_residency(int file, std::uint64_t file_bytes, const char* name);

}  // namespace reelway::origin
