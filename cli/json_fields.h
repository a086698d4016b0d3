#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

// Reading a server's JSON without trust: a field that is missing or of another type reads as empty, never throws.

namespace reelway::cli {

using Json = nlohmann::json;

std::string text_at(const Json& object, const char* key);
bool flag_at(const Json& object, const char* key);  // false when missing
std::optional<double> number_at(const Json& object, const char* key);
std::uint64_t count_at(const Json& object, const char* key);  // 0 when missing or negative
const Json& field_at(const Json& object, const char* key);    // null when missing
const Json& list_at(const Json& object, const char* key);     // an empty array when missing
const Json& object_at(const Json& object, const char* key);   // an empty object when missing

// Any value as a person reads it: text without quotes, others as JSON.
std::string shown(const Json& value);

// One line of JSON. Bytes that are no UTF-8 are replaced.
std::string one_line(const Json& value);

}  // namespace reelway::cli
