#include "origin/fleet/key_seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::string_view kInfo = "reelway-key-seal-1";

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

Error not_opened(access::KeyId kid) {
  Error error;
  error.code = ErrorCode::stored_data_corrupt;
  error.side = Side::disk;
  error.detail = "the sealed private part of signing key " + std::to_string(kid) +
                 " does not open with the secret in keys.seal_file; put back the secret that sealed it";
  return error;
}

std::string associated_data(access::KeyId kid) {
  return "kid:" + std::to_string(kid);
}

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<KeySeal> KeySeal::from_secret(std::string_view secret) {
  if (secret.size() < kSealSecretCharactersMin) {
    Error error;
    error.code = ErrorCode::config_value_invalid;
    error.detail =
        "keys.seal_file: the secret must have at least " + std::to_string(kSealSecretCharactersMin) + " characters";
    return error;
  }
  const std::unique_ptr<EVP_KDF, KdfDeleter> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  if (!kdf) return library_failed("EVP_KDF_fetch");
  const std::unique_ptr<EVP_KDF_CTX, KdfDeleter> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  std::string key_text(secret);
  std::string info(kInfo);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_text.data(), key_text.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  KeySeal seal;
  const int derived = EVP_KDF_derive(context.get(), seal.key_.data(), seal.key_.size(), parameters);
  std::fill(key_text.begin(), key_text.end(), '\0');
  if (derived != 1) return library_failed("EVP_KDF_derive");
  return seal;
}

Result<std::string> KeySeal::seal(const access::PrivateKey& key, access::KeyId kid, Random& random) const {
  Bytes out(kNonceBytes + key.size() + kTagBytes);
  const std::span<std::uint8_t> nonce(out.data(), kNonceBytes);
  random.fill(nonce);
  const std::string data = associated_data(kid);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int count = 0;
  const bool sealed =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &count, raw(data), static_cast<int>(data.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out.data() + kNonceBytes, &count, key.data(), static_cast<int>(key.size())) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), out.data() + kNonceBytes + key.size(), &count) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + kNonceBytes + key.size()) == 1;
  if (!sealed) return library_failed("AES-256-GCM");
  return base64url(out);
}

Result<access::PrivateKey> KeySeal::open(std::string_view sealed, access::KeyId kid) const {
  auto bytes = from_base64url(sealed);
  access::PrivateKey key{};
  if (!bytes || bytes->size() != kNonceBytes + key.size() + kTagBytes) return not_opened(kid);
  const std::string data = associated_data(kid);
  std::uint8_t* text = bytes->data() + kNonceBytes;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int count = 0;
  const bool opened = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes->data()) == 1 &&
                      EVP_DecryptUpdate(cipher.get(), nullptr, &count, raw(data), static_cast<int>(data.size())) == 1 &&
                      EVP_DecryptUpdate(cipher.get(), key.data(), &count, text, static_cast<int>(key.size())) == 1 &&
                      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, text + key.size()) == 1 &&
                      EVP_DecryptFinal_ex(cipher.get(), text, &count) == 1;
  if (!opened) return not_opened(kid);
  return key;
}

}  // namespace reelway::origin
