#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "origin/hls/content_key.h"

struct evp_cipher_ctx_st;

namespace reelway::origin::hls {

struct CipherDeleter {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, CipherDeleter>;

using Iv = std::array<std::uint8_t, 16>;

// Encrypts runs of bytes in place, one after another; a run may come in parts, each but the last a multiple of
// kPartBytes. Not thread-safe.
class SampleCipher {
 public:
  virtual ~SampleCipher() = default;
  virtual void begin_sample(const Iv& iv) = 0;
  virtual void begin_run() = 0;
  virtual void encrypt(std::span<std::uint8_t> part) = 0;
  // Of which a part must be a multiple, unless the run ends with it.
  virtual std::size_t part_bytes() const = 0;
};

// AES-CBC that starts anew with the IV at each run (ISO/IEC 23001-7 section 10.4): of every `pattern` blocks the first
// is encrypted, or with 1 all of them. Bytes after the last whole block stay in the clear.
std::unique_ptr<SampleCipher> cbc_cipher(const ContentKey& key, std::size_t pattern);
// AES-CTR that goes on over the runs of a sample (section 10.1).
std::unique_ptr<SampleCipher> ctr_cipher(const ContentKey& key);

// One stream of AES-128-CBC, padded at its end (PKCS #7): METHOD=AES-128 (RFC 8216bis section 4.4.4.4).
class CbcStream {
 public:
  static constexpr std::size_t kBlockBytes = 16;

  CbcStream(const ContentKey& key, const Iv& iv);
  // `out` has in.size() + kBlockBytes bytes, and does not overlap `in`. Returns how many were written.
  std::size_t update(ByteView in, std::uint8_t* out);
  std::size_t finish(std::uint8_t* out);  // kBlockBytes

 private:
  CipherContext context_;
};

}  // namespace reelway::origin::hls
