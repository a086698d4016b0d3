#pragma once

#include <string>
#include <string_view>

#include "common/access/sealing.h"
#include "common/access/token.h"
#include "common/base/random.h"
#include "common/base/result.h"

namespace reelway::origin {

inline constexpr std::size_t kSealSecretCharactersMin = 32;

// Seals private signing keys for the control store, whose files and backups may be read by more people than may sign.
//
//   sealing key = HKDF-SHA256(secret, no salt, info "reelway-key-seal-1"), 32 bytes
//   sealed text = base64url(nonce of 12 bytes, AES-256-GCM ciphertext, tag of 16 bytes)
//   associated data = "kid:<number>", so that a sealed key cannot be put in another's place
//
// Thread-safe.
class KeySeal {
 public:
  // config_value_invalid when the secret is shorter than kSealSecretCharactersMin.
  static Result<KeySeal> from_secret(std::string_view secret);

  Result<std::string> seal(const access::PrivateKey& key, access::KeyId kid, Random& random) const;
  // stored_data_corrupt: the text is damaged, or was sealed with another secret.
  Result<access::PrivateKey> open(std::string_view sealed, access::KeyId kid) const;

 private:
  access::SealingKey key_{};
};

}  // namespace reelway::origin
