#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace reelway::origin {

struct FileSum {
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
};

// Reads a whole file. Blocking. not_found_on_disk, io_failed.
Result<FileSum> sum_file(const std::string& path);

}  // namespace reelway::origin
