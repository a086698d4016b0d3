#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"

namespace reelway::origin {

// SHA-256 (FIPS 180-4) of bytes that come in pieces, and that may go on in another process: its state between two
// pieces is eight words and what is left of a block (section 6.2), the same on every machine.
class Sha256 {
 public:
  struct Midstate {
    // The initial hash value of section 5.3.3.
    std::array<std::uint32_t, 8> words{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> tail{};  // the first bytes % 64 of it count
    std::uint64_t bytes = 0;              // summed so far
  };

  Sha256() = default;
  explicit Sha256(const Midstate& from) : state_(from) {}

  void add(ByteView bytes);
  const Midstate& midstate() const { return state_; }
  std::string finish() const;  // lower-case hex

 private:
  Midstate state_;
};

}  // namespace reelway::origin
