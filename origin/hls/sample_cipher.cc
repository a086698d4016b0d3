#include "origin/hls/sample_cipher.h"

#include <openssl/evp.h>

#include <cstring>

#include "common/base/check.h"

// Model: a call of the library costs about as much as ten blocks, so the blocks of a pattern are gathered, encrypted by
// one call, and put back. The library's calls fail only for wrong arguments, or without memory.

namespace reelway::origin::hls {
namespace {

constexpr std::size_t kBlock = 16;

CipherContext make_context(const EVP_CIPHER* cipher, const ContentKey& key, const Iv& iv) {
  CipherContext context(EVP_CIPHER_CTX_new());
  CHECK(context && EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.key.data(), iv.data()) == 1);
  return context;
}

void set_iv(EVP_CIPHER_CTX* context, const Iv& iv) {
  CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, iv.data()) == 1);
}

void run(EVP_CIPHER_CTX* context, std::span<std::uint8_t> bytes) {
  int count = 0;
  CHECK(EVP_EncryptUpdate(context, bytes.data(), &count, bytes.data(), static_cast<int>(bytes.size())) == 1);
  CHECK(static_cast<std::size_t>(count) == bytes.size());
}

class CbcCipher final : public SampleCipher {
 public:
  CbcCipher(const ContentKey& key, std::size_t pattern)
      : context_(make_context(EVP_aes_128_cbc(), key, key.iv)), stride_(pattern * kBlock) {
    EVP_CIPHER_CTX_set_padding(context_.get(), 0);
  }

  void begin_sample(const Iv& iv) override { iv_ = iv; }
  void begin_run() override { set_iv(context_.get(), iv_); }
  std::size_t part_bytes() const override { return stride_; }

  void encrypt(std::span<std::uint8_t> part) override {
    if (stride_ == kBlock) {
      const std::span<std::uint8_t> whole = part.first(part.size() / kBlock * kBlock);
      if (!whole.empty()) run(context_.get(), whole);
      return;
    }
    gathered_.resize(part.size() / stride_ * kBlock + kBlock);
    std::size_t bytes = 0;
    for (std::size_t at = 0; at + kBlock <= part.size(); at += stride_, bytes += kBlock) {
      std::memcpy(gathered_.data() + bytes, part.data() + at, kBlock);
    }
    if (bytes == 0) return;
    run(context_.get(), std::span(gathered_).first(bytes));
    for (std::size_t from = 0; from < bytes; from += kBlock) {
      std::memcpy(part.data() + from / kBlock * stride_, gathered_.data() + from, kBlock);
    }
  }

 private:
  CipherContext context_;
  std::size_t stride_;
  Iv iv_{};
  std::vector<std::uint8_t> gathered_;
};

class CtrCipher final : public SampleCipher {
 public:
  explicit CtrCipher(const ContentKey& key) : context_(make_context(EVP_aes_128_ctr(), key, Iv{})) {}

  void begin_sample(const Iv& iv) override { set_iv(context_.get(), iv); }
  void begin_run() override {}
  std::size_t part_bytes() const override { return kBlock; }
  void encrypt(std::span<std::uint8_t> part) override {
    if (!part.empty()) run(context_.get(), part);
  }

 private:
  CipherContext context_;
};

}  // namespace

void CipherDeleter::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

std::unique_ptr<SampleCipher> cbc_cipher(const ContentKey& key, std::size_t pattern) {
  CHECK(pattern > 0);
  return std::make_unique<CbcCipher>(key, pattern);
}

std::unique_ptr<SampleCipher> ctr_cipher(const ContentKey& key) {
  return std::make_unique<CtrCipher>(key);
}

CbcStream::CbcStream(const ContentKey& key, const Iv& iv) : context_(make_context(EVP_aes_128_cbc(), key, iv)) {}

std::size_t CbcStream::update(ByteView in, std::uint8_t* out) {
  int count = 0;
  CHECK(EVP_EncryptUpdate(context_.get(), out, &count, in.data(), static_cast<int>(in.size())) == 1);
  return static_cast<std::size_t>(count);
}

std::size_t CbcStream::finish(std::uint8_t* out) {
  int count = 0;
  CHECK(EVP_EncryptFinal_ex(context_.get(), out, &count) == 1);
  return static_cast<std::size_t>(count);
}

}  // namespace reelway::origin::hls
