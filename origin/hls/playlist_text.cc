#include "origin/hls/playlist_text.h"

#include <cstdio>

namespace reelway::origin::hls {

std::string extinf_line(std::uint64_t microseconds) {
  char text[48];
  std::snprintf(text, sizeof text, "#EXTINF:%llu.%06llu,\n", static_cast<unsigned long long>(microseconds / 1'000'000),
                static_cast<unsigned long long>(microseconds % 1'000'000));
  return text;
}

std::string byte_range_line(std::uint64_t bytes, std::uint64_t offset) {
  return "#EXT-X-BYTERANGE:" + std::to_string(bytes) + "@" + std::to_string(offset) + "\n";
}

}  // namespace reelway::origin::hls
