#pragma once

#include <cstddef>
#include <cstdint>

namespace reelway::http {

// What one message may cost before it is refused with http_too_large.
struct Limits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t target_bytes_max = 4 * 1024;
  std::size_t headers_max = 64;
  std::uint64_t body_bytes_max = UINT64_MAX;
};

}  // namespace reelway::http
