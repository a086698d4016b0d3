#include "origin/fleet/key_records.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

Error corrupt(std::string_view key, std::string_view what) {
  Error error;
  error.code = ErrorCode::stored_data_corrupt;
  error.side = Side::disk;
  error.detail.append("control store key ").append(key).append(": ").append(what);
  return error;
}

// Null when the text is not an object of this format.
json parse_format(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (!value.is_object() || value.value("format", json()) != kFormat) return nullptr;
  return value;
}

const std::string* text_of(const json& value, const char* name) {
  const auto found = value.find(name);
  return found == value.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

std::string key_record_key(access::KeyId kid) {
  return std::string(kKeyPrefix) + std::to_string(kid);
}

std::string to_json(const KeyRecord& record) {
  json value = {{"format", kFormat},
                {"state", record.retired ? "retired" : "active"},
                {"public", base64url(record.public_key)},
                {"sealed_private", record.sealed_private},
                {"created_at_ms", record.created_at_ms}};
  if (record.retired_at_ms) value["retired_at_ms"] = *record.retired_at_ms;
  return value.dump();
}

std::string key_pointer_json(access::KeyId kid) {
  return json{{"format", kFormat}, {"kid", kid}}.dump();
}

Result<KeyRecord> parse_key_record(std::string_view key, std::string_view text) {
  KeyRecord record;
  const auto kid = parse_kid(key.starts_with(kKeyPrefix) ? key.substr(kKeyPrefix.size()) : std::string_view{});
  if (!kid) return corrupt(key, "the name holds no key number");
  record.kid = *kid;
  const json value = parse_format(text);
  if (value.is_null()) return corrupt(key, "not a record of format 1");
  const std::string* state = text_of(value, "state");
  const std::string* public_text = text_of(value, "public");
  const std::string* sealed = text_of(value, "sealed_private");
  const json created = value.value("created_at_ms", json());
  if (!state || (*state != "active" && *state != "retired") || !public_text || !sealed ||
      !created.is_number_integer()) {
    return corrupt(key, "a field is missing or of the wrong kind");
  }
  const auto public_key = from_base64url(*public_text);
  if (!public_key || public_key->size() != record.public_key.size()) return corrupt(key, "the public key is malformed");
  std::copy(public_key->begin(), public_key->end(), record.public_key.begin());
  record.retired = *state == "retired";
  record.sealed_private = *sealed;
  record.created_at_ms = created.get<std::int64_t>();
  const json retired_at = value.value("retired_at_ms", json());
  if (retired_at.is_number_integer()) record.retired_at_ms = retired_at.get<std::int64_t>();
  return record;
}

Result<access::KeyId> parse_key_pointer(std::string_view text) {
  const json value = parse_format(text);
  const json kid = value.is_null() ? json() : value.value("kid", json());
  if (!kid.is_number_unsigned() || kid.get<std::uint64_t>() == 0 || kid.get<std::uint64_t>() > UINT32_MAX) {
    return corrupt(kKeyPointer, "not a record of format 1");
  }
  return kid.get<access::KeyId>();
}

std::optional<access::KeyId> parse_kid(std::string_view text) {
  access::KeyId kid = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, kid);
  if (text.empty() || result.ec != std::errc() || result.ptr != end || kid == 0 || text.front() == '0')
    return std::nullopt;
  return kid;
}

}  // namespace reelway::origin
