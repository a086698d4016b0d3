#include "common/access/sealing.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "common/base/encoding.h"

namespace reelway::access {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

struct KdfDeleter {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

Error library_failed(const char* call) {
  Error error;
  error.detail = std::string("OpenSSL ") + call + " failed";
  return error;
}

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<SealingKey> derive_sealing_key(std::string_view secret, std::string_view info) {
  const std::unique_ptr<EVP_KDF, KdfDeleter> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  if (!kdf) return library_failed("EVP_KDF_fetch");
  const std::unique_ptr<EVP_KDF_CTX, KdfDeleter> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  std::string key_text(secret);
  std::string info_text(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_text.data(), key_text.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_text.data(), info_text.size()),
      OSSL_PARAM_construct_end(),
  };
  SealingKey key{};
  const int derived = EVP_KDF_derive(context.get(), key.data(), key.size(), parameters);
  std::fill(key_text.begin(), key_text.end(), '\0');
  if (derived != 1) return library_failed("EVP_KDF_derive");
  return key;
}

Result<std::string> seal_bytes(const SealingKey& key, ByteView plain, std::string_view associated, Random& random) {
  Bytes out(kNonceBytes + plain.size() + kTagBytes);
  const std::span<std::uint8_t> nonce(out.data(), kNonceBytes);
  random.fill(nonce);
  std::uint8_t* text = out.data() + kNonceBytes;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int count = 0;
  const bool sealed =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &count, raw(associated), static_cast<int>(associated.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), text, &count, plain.data(), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), text + plain.size(), &count) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, text + plain.size()) == 1;
  if (!sealed) return library_failed("AES-256-GCM");
  return base64url(out);
}

std::optional<Bytes> open_sealed(const SealingKey& key, std::string_view sealed, std::string_view associated,
                                 std::size_t bytes) {
  auto in = from_base64url(sealed);
  if (!in || in->size() != kNonceBytes + bytes + kTagBytes) return std::nullopt;
  Bytes plain(bytes);
  std::uint8_t* text = in->data() + kNonceBytes;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int count = 0;
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), in->data()) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &count, raw(associated), static_cast<int>(associated.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), plain.data(), &count, text, static_cast<int>(bytes)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, text + bytes) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), plain.data() + bytes, &count) == 1;
  if (!opened) return std::nullopt;
  return plain;
}

}  // namespace reelway::access
