#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/random.h"
#include "common/base/result.h"

// Secrets sealed for a place that may be read by more people than may use them.
//
//   sealing key = HKDF-SHA256(secret, no salt, info), 32 bytes
//   sealed text = base64url(nonce of 12 bytes, AES-256-GCM ciphertext, tag of 16 bytes)

namespace reelway::access {

using SealingKey = std::array<std::uint8_t, 32>;

// `info` differs for every kind of thing that is sealed with one secret.
Result<SealingKey> derive_sealing_key(std::string_view secret, std::string_view info);
// `associated` says what it is, so that one sealed text cannot be put in another's place.
Result<std::string> seal_bytes(const SealingKey& key, ByteView plain, std::string_view associated, Random& random);
// Nothing when the text is damaged, was sealed with another key or as another thing, or has not `bytes` in it.
std::optional<Bytes> open_sealed(const SealingKey& key, std::string_view sealed, std::string_view associated,
                                 std::size_t bytes);

}  // namespace reelway::access
