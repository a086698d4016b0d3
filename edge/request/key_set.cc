#include "edge/request/key_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/encoding.h"

namespace reelway::edge {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kKeysMax = 1024;

Error malformed(std::string_view why) {
  return {ErrorCode::upstream_failed, Side::upstream, false, "the key document " + std::string(why)};
}

Result<KeySet::Key> parse_key(const Json& entry) {
  KeySet::Key key;
  const auto state = entry.find("state");
  const auto public_key = entry.find("public");
  if (state == entry.end() || !state->is_string() || public_key == entry.end() || !public_key->is_string()) {
    return malformed("has a key without state or public");
  }
  if (*state == "retired") {
    key.state = KeyState::retired;
  } else if (*state != "active") {
    return malformed("has a key that is neither active nor retired");
  }
  const auto bytes = from_base64url(public_key->get_ref<const std::string&>());
  if (!bytes || bytes->size() != key.public_key.size()) return malformed("has a public key that is not 32 bytes");
  std::copy(bytes->begin(), bytes->end(), key.public_key.begin());
  return key;
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return malformed("is no JSON object");
  const auto revision = document.find("revision");
  const auto keys = document.find("keys");
  if (revision == document.end() || !revision->is_number_unsigned()) return malformed("has no revision");
  if (keys == document.end() || !keys->is_array()) return malformed("has no list of keys");
  if (keys->size() > kKeysMax) return malformed("has more than 1024 keys");
  KeySet set;
  set.revision_ = revision->get<std::uint64_t>();
  for (const Json& entry : *keys) {
    if (!entry.is_object()) return malformed("has a key that is no object");
    const auto kid = entry.find("kid");
    if (kid == entry.end() || !kid->is_number_unsigned() || kid->get<std::uint64_t>() > UINT32_MAX) {
      return malformed("has a key without a kid");
    }
    auto key = parse_key(entry);
    if (!key.ok()) return std::move(key).error();
    if (!set.keys_.emplace(kid->get<access::KeyId>(), *key).second) return malformed("names a kid twice");
  }
  return set;
}

std::string KeySet::json() const {
  Json list = Json::array();
  for (const auto& [kid, key] : keys_) {
    list.push_back({{"kid", kid}, {"state", key_state_name(key.state)}, {"public", base64url(key.public_key)}});
  }
  return Json{{"revision", revision_}, {"keys", std::move(list)}}.dump();
}

const KeySet::Key* KeySet::find(access::KeyId kid) const {
  const auto at = keys_.find(kid);
  return at == keys_.end() ? nullptr : &at->second;
}

std::string_view key_state_name(KeyState state) {
  return state == KeyState::active ? "active" : "retired";
}

}  // namespace reelway::edge
