#pragma once

#include <array>
#include <cstdint>

#include "common/base/bytes.h"

namespace reelway {

// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and the reference
// implementation's 128-bit form). Two words, the first being the first eight bytes of the output, little-endian.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

Hash128 siphash128(const SipKey& key, ByteView bytes);

}  // namespace reelway
