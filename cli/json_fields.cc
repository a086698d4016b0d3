#include "cli/json_fields.h"

namespace reelway::cli {
namespace {

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

}  // namespace

std::string text_at(const Json& object, const char* key) {
  const Json* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

bool flag_at(const Json& object, const char* key) {
  const Json* value = find(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::optional<double> number_at(const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::uint64_t count_at(const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_number()) return 0;
  if (value->is_number_unsigned()) return value->get<std::uint64_t>();
  const double number = value->get<double>();
  return number > 0 && number < 1e18 ? static_cast<std::uint64_t>(number) : 0;
}

const Json& field_at(const Json& object, const char* key) {
  static const Json null;
  const Json* value = find(object, key);
  return value != nullptr ? *value : null;
}

const Json& list_at(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const Json* value = find(object, key);
  return value != nullptr && value->is_array() ? *value : empty;
}

const Json& object_at(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const Json* value = find(object, key);
  return value != nullptr && value->is_object() ? *value : empty;
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return one_line(value);
}

std::string one_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace reelway::cli
