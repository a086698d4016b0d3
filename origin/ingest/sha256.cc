// OpenSSL's EVP digests do not give their state away, so this is the one place that uses the calls beneath them, which
// are marked as deprecated and share their code and speed. Were they to go, the state is still FIPS 180-4's own, and
// any SHA-256 that lets its words be set can take it up.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "origin/ingest/sha256.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "common/base/check.h"
#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

SHA256_CTX context_of(const Sha256::Midstate& state) {
  SHA256_CTX context{};
  CHECK(SHA256_Init(&context) == 1);
  const std::uint64_t bits = state.bytes * 8;
  std::copy(state.words.begin(), state.words.end(), context.h);
  context.Nl = static_cast<SHA_LONG>(bits);
  context.Nh = static_cast<SHA_LONG>(bits >> 32);
  context.num = static_cast<unsigned>(state.bytes % state.tail.size());
  std::memcpy(context.data, state.tail.data(), context.num);
  return context;
}

}  // namespace

void Sha256::add(ByteView bytes) {
  SHA256_CTX context = context_of(state_);
  CHECK(SHA256_Update(&context, bytes.data(), bytes.size()) == 1);
  std::copy(std::begin(context.h), std::end(context.h), state_.words.begin());
  state_.tail = {};
  std::memcpy(state_.tail.data(), context.data, context.num);
  state_.bytes += bytes.size();
}

std::string Sha256::finish() const {
  SHA256_CTX context = context_of(state_);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  CHECK(SHA256_Final(digest.data(), &context) == 1);
  return hex(digest);
}

}  // namespace reelway::origin
