#include "origin/request/body_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

Error bad_request(std::string detail) {
  Error error;
  error.code = ErrorCode::http_bad_request;
  error.side = Side::client;
  error.detail = std::move(detail);
  return error;
}

}  // namespace

BodyFields::BodyFields(const nlohmann::json& body) : body_(body) {
  if (!body.is_object()) error_ = bad_request("the body is no JSON object");
}

const nlohmann::json* BodyFields::find(const char* name) {
  if (error_) return nullptr;
  const auto found = body_.find(name);
  return found == body_.end() || found->is_null() ? nullptr : &*found;
}

void BodyFields::refuse(const char* name, std::string_view expected) {
  if (!error_) error_ = bad_request("field \"" + std::string(name) + "\": expected " + std::string(expected));
}

std::optional<std::string> BodyFields::optional_text(const char* name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string() && value->get_ref<const std::string&>().size() <= kTextBytesMax)
    return value->get<std::string>();
  refuse(name, "a text of at most " + std::to_string(kTextBytesMax) + " bytes");
  return std::nullopt;
}

std::string BodyFields::text(const char* name) {
  auto value = optional_text(name);
  if (!value || value->empty()) refuse(name, "a text");
  return value.value_or("");
}

std::optional<std::vector<std::string>> BodyFields::optional_texts(const char* name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto fits = [](const nlohmann::json& item) {
    return item.is_string() && item.get_ref<const std::string&>().size() <= kTextBytesMax;
  };
  if (value->is_array() && value->size() <= kListMax && std::all_of(value->begin(), value->end(), fits))
    return value->get<std::vector<std::string>>();
  refuse(name, "a list of at most " + std::to_string(kListMax) + " texts");
  return std::nullopt;
}

std::uint64_t BodyFields::count(const char* name) {
  const nlohmann::json* value = find(name);
  if (value != nullptr && value->is_number_unsigned()) return value->get<std::uint64_t>();
  refuse(name, "a whole number of 0 or more");
  return 0;
}

std::optional<std::int64_t> BodyFields::optional_integer(const char* name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const bool fits =
      value->is_number_integer() &&
      (!value->is_number_unsigned() || value->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  if (fits) return value->get<std::int64_t>();
  refuse(name, "a whole number");
  return std::nullopt;
}

bool BodyFields::flag(const char* name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  refuse(name, "true or false");
  return false;
}

Result<void> BodyFields::finish() const {
  if (error_) return *error_;
  return {};
}

}  // namespace reelway::origin
