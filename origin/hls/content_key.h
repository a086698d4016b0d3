#pragma once

#include <array>
#include <cstdint>

namespace reelway::origin::hls {

// What a track of a protected packaging is encrypted with. Never logged.
struct ContentKey {
  std::array<std::uint8_t, 16> id{};   // KID of ISO/IEC 23001-7, big-endian
  std::array<std::uint8_t, 16> key{};  // AES-128
  std::array<std::uint8_t, 16> iv{};   // the constant IV of cbcs, SAMPLE-AES and whole segments
  std::uint16_t track = 0;             // differs between the tracks of one key, so that no IV of cenc comes twice
};

}  // namespace reelway::origin::hls
