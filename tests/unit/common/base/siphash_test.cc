#include "common/base/siphash.h"

#include <gtest/gtest.h>

namespace reelway {
namespace {

// The published vectors: key 00 01 .. 0f, message 00 01 .. of the given length.
TEST(SipHash, PublishedVectors) {
  const SipKey key{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  Bytes message;
  EXPECT_EQ(siphash128(key, message), (Hash128{0xe6a825ba047f81a3ull, 0x930255c71472f66dull}));
  message.push_back(0);
  EXPECT_EQ(siphash128(key, message), (Hash128{0x44af996bd8c187daull, 0x45fc229b11597634ull}));
}

TEST(SipHash, EveryByteAndTheLengthCount) {
  const SipKey key{1, 2};
  Bytes message(64, 0);
  const Hash128 hash = siphash128(key, message);
  for (std::uint8_t& byte : message) {
    byte = 1;
    EXPECT_NE(siphash128(key, message), hash);
    byte = 0;
  }
  message.push_back(0);
  EXPECT_NE(siphash128(key, message), hash);
}

}  // namespace
}  // namespace reelway
