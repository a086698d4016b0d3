#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/access/token.h"
#include "common/base/result.h"

namespace reelway::edge {

enum class KeyState : std::uint8_t { active, retired };

// The origin's public keys as one document: GET /.reelway/v1/keys, and, the same text, <store.directory>/keys.json.
class KeySet {
 public:
  struct Key {
    KeyState state = KeyState::active;
    access::PublicKey public_key{};
    bool operator==(const Key&) const = default;
  };

  // {"revision":7,"keys":[{"kid":1,"state":"active","public":"<base64url>"}]}. upstream_failed says what is wrong.
  static Result<KeySet> parse(std::string_view json);
  std::string json() const;

  const Key* find(access::KeyId kid) const;
  std::uint64_t revision() const { return revision_; }
  const std::map<access::KeyId, Key>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }
  bool operator==(const KeySet&) const = default;

 private:
  std::uint64_t revision_ = 0;
  std::map<access::KeyId, Key> keys_;
};

std::string_view key_state_name(KeyState state);

}  // namespace reelway::edge
