#pragma once

#include <cstdint>
#include <string>

// Lines that media playlists of all kinds share.

namespace reelway::origin::hls {

std::string extinf_line(std::uint64_t microseconds);  // "#EXTINF:6.006000,\n"
std::string byte_range_line(std::uint64_t bytes, std::uint64_t offset);

}  // namespace reelway::origin::hls
