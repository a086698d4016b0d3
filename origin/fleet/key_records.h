#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/token.h"
#include "common/base/result.h"

// Signing keys as the control store holds them. Pure.
//
//   /v1/key/<kid>  {"format":1,"state":"active|retired","public":...,"sealed_private":...,"created_at_ms":...,
//                   "retired_at_ms":...}
//   /v1/keyptr     {"format":1,"kid":...}: the key that signs
//
// An active key verifies; of the active ones the pointer's signs. A retired one does neither, for ever.

namespace reelway::origin {

inline constexpr std::string_view kKeyPrefix = "/v1/key/";
inline constexpr std::string_view kKeyPointer = "/v1/keyptr";
inline constexpr std::string_view kKeysPrefix = "/v1/key";  // of both

struct KeyRecord {
  access::KeyId kid = 0;
  bool retired = false;
  access::PublicKey public_key{};
  std::string sealed_private;
  std::int64_t created_at_ms = 0;
  std::optional<std::int64_t> retired_at_ms;
  std::int64_t mod_revision = 0;  // of the store's key when it was read; not part of the text
};

std::string key_record_key(access::KeyId kid);
std::string to_json(const KeyRecord& record);
std::string key_pointer_json(access::KeyId kid);
// stored_data_corrupt names the key.
Result<KeyRecord> parse_key_record(std::string_view key, std::string_view json);
Result<access::KeyId> parse_key_pointer(std::string_view json);
std::optional<access::KeyId> parse_kid(std::string_view text);  // decimal, from 1

}  // namespace reelway::origin
