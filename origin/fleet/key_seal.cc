#include "origin/fleet/key_seal.h"

#include <algorithm>

namespace reelway::origin {
namespace {

constexpr std::string_view kInfo = "reelway-key-seal-1";

std::string associated_data(access::KeyId kid) {
  return "kid:" + std::to_string(kid);
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
  const auto key = access::derive_sealing_key(secret, kInfo);
  if (!key) return key.error();
  KeySeal seal;
  seal.key_ = *key;
  return seal;
}

Result<std::string> KeySeal::seal(const access::PrivateKey& key, access::KeyId kid, Random& random) const {
  return access::seal_bytes(key_, key, associated_data(kid), random);
}

Result<access::PrivateKey> KeySeal::open(std::string_view sealed, access::KeyId kid) const {
  access::PrivateKey key{};
  const auto opened = access::open_sealed(key_, sealed, associated_data(kid), key.size());
  if (!opened) {
    Error error;
    error.code = ErrorCode::stored_data_corrupt;
    error.side = Side::disk;
    error.detail = "the sealed private part of signing key " + std::to_string(kid) +
                   " does not open with the secret in keys.seal_file; put back the secret that sealed it";
    return error;
  }
  std::copy(opened->begin(), opened->end(), key.begin());
  return key;
}

}  // namespace reelway::origin
