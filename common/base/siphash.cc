#include "common/base/siphash.h"

#include <bit>

namespace reelway {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void compress(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  std::uint64_t finish(std::uint64_t& into, std::uint64_t mark) {
    into ^= mark;
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

}  // namespace

Hash128 siphash128(const SipKey& key, ByteView bytes) {
  State state{0x736f6d6570736575ull ^ key.k0, 0x646f72616e646f6dull ^ key.k1 ^ 0xee, 0x6c7967656e657261ull ^ key.k0,
              0x7465646279746573ull ^ key.k1};
  const std::size_t whole = bytes.size() & ~std::size_t{7};
  for (std::size_t at = 0; at < whole; at += 8) state.compress(little_endian(bytes.subspan(at, 8)));
  state.compress(little_endian(bytes.subspan(whole)) | std::uint64_t{bytes.size()} << 56);
  Hash128 hash;
  hash.low = state.finish(state.v2, 0xee);
  hash.high = state.finish(state.v1, 0xdd);
  return hash;
}

}  // namespace reelway
