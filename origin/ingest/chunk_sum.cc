#include "origin/ingest/chunk_sum.h"

#include <openssl/evp.h>

#include <array>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

constexpr std::array<std::uint32_t, 256> crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
    table[byte] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrc32Table = crc32_table();

const EVP_MD* digest_of(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::sha1: return EVP_sha1();
    case ChecksumAlgorithm::sha256: return EVP_sha256();
    case ChecksumAlgorithm::crc32: break;
  }
  return nullptr;
}

}  // namespace

std::uint32_t crc32(ByteView bytes, std::uint32_t so_far) {
  std::uint32_t value = ~so_far;
  for (const std::uint8_t byte : bytes) value = (value >> 8) ^ kCrc32Table[(value ^ byte) & 0xff];
  return ~value;
}

struct ChunkSum::State {
  EVP_MD_CTX* digest = nullptr;  // null for CRC-32
  std::uint32_t crc = 0;
  ~State() { EVP_MD_CTX_free(digest); }
};

// OpenSSL's digests can fail only for want of memory or of the algorithm, neither of which a caller could handle.
ChunkSum::ChunkSum(ChecksumAlgorithm algorithm) : state_(std::make_unique<State>()) {
  const EVP_MD* digest = digest_of(algorithm);
  if (digest == nullptr) return;
  state_->digest = EVP_MD_CTX_new();
  CHECK(state_->digest != nullptr && EVP_DigestInit_ex(state_->digest, digest, nullptr) == 1);
}
ChunkSum::~ChunkSum() = default;

void ChunkSum::add(ByteView bytes) {
  if (state_->digest == nullptr) {
    state_->crc = crc32(bytes, state_->crc);
  } else {
    CHECK(EVP_DigestUpdate(state_->digest, bytes.data(), bytes.size()) == 1);
  }
}

Bytes ChunkSum::finish() {
  if (state_->digest == nullptr) {
    ByteWriter sum;
    sum.u32(state_->crc);
    return sum.take();
  }
  Bytes sum(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(state_->digest, sum.data(), &length) == 1);
  sum.resize(length);
  return sum;
}

}  // namespace reelway::origin
