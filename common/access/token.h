#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/view.h"
#include "common/base/bytes.h"
#include "common/base/result.h"

// The playback token: who may fetch what, until when. It rides in the path (/t/<token>/<title>/...), so relative
// URIs of a playlist inherit it. Text: base64url, without padding, of
//
//   u8   format, 1
//   u32  kid, the signing key's number
//   u64  not_before, unix seconds
//   u64  expires, unix seconds (first second at which it is refused)
//   16 B session
//   u8 + bytes  title id
//   u8   count of claims, each: u8 number, u8 length, bytes; numbers rise strictly; an unknown number is refused
//   64 B Ed25519 signature (RFC 8032) over "reelway-token-1\0" and all the bytes before it
//
// Claims, each of them optional; one that is not there narrows nothing:
//   1  entitlement: 16 B id, i64 revision at which the origin saw it. Without it the token itself is the right.
//   2  maximum height: u16, not 0
//   3  languages: their names in rising order, joined by '.': "de.en"
//   4  preview: u32, not 0, the number of the one version that it is for, published or not
//   5  clip: u32 first unit, u32 end, above it: the one part of the film that may be seen
// Pure: no clock, no key store.

namespace reelway::access {

using KeyId = std::uint32_t;
using PublicKey = std::array<std::uint8_t, 32>;
using PrivateKey = std::array<std::uint8_t, 32>;
using SessionId = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kTokenTextMax = 1024;

struct EntitlementClaim {
  std::array<std::uint8_t, 16> id{};
  std::int64_t revision = 0;
  bool operator==(const EntitlementClaim&) const = default;
};

struct Token {
  KeyId kid = 0;
  std::int64_t not_before_s = 0;
  std::int64_t expires_s = 0;
  SessionId session{};
  std::string title;
  std::optional<EntitlementClaim> entitlement;
  View view;

  bool operator==(const Token&) const = default;
};

// A token whose text has been taken apart; its signature is not checked yet.
struct UnverifiedToken {
  Token token;
  Bytes signed_bytes;
  std::array<std::uint8_t, 64> signature{};
};

struct KeyPair {
  PublicKey public_key;
  PrivateKey private_key;  // the 32-byte seed of RFC 8032
};

Result<KeyPair> generate_key_pair();
Result<PublicKey> public_key_of(const PrivateKey& key);
// config_value_invalid when the token could not be parsed again: a title that is no title id, times out of order,
// languages that are none.
Result<std::string> sign_token(const Token& token, const PrivateKey& key);
// token_malformed with the reason.
Result<UnverifiedToken> parse_token(std::string_view text);
// token_expired, token_not_yet_valid or token_other_title: the checks that cost nothing, before any signature.
Result<void> check_scope(const Token& token, std::string_view title, std::int64_t now_s);
// token_signature_bad. About 120 microseconds: never on an event loop. Thread-safe.
Result<void> verify_signature(const UnverifiedToken& token, const PublicKey& key);

}  // namespace reelway::access
