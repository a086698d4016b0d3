#include "origin/request/query_fields.h"

#include <algorithm>
#include <charconv>

namespace reelway::origin {
namespace {

Error refused(std::string_view name, std::string_view expected) {
  Error error;
  error.code = ErrorCode::http_bad_request;
  error.side = Side::client;
  error.detail.append("query field \"").append(name).append("\": expected ").append(expected);
  return error;
}

bool is_unreserved(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
  });
}

}  // namespace

Result<QueryFields> QueryFields::parse(std::string_view query) {
  QueryFields fields;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (equals == std::string_view::npos || name.empty() || !is_unreserved(name)) return refused("", "name=value");
    if (value.size() > kValueBytesMax || !is_unreserved(value)) {
      return refused(name, "at most " + std::to_string(kValueBytesMax) + " letters, digits and -._~");
    }
    if (fields.fields_.size() >= kFieldsMax) return refused(name, "at most " + std::to_string(kFieldsMax) + " fields");
    if (!fields.fields_.emplace(name, value).second) return refused(name, "it once");
  }
  return fields;
}

std::optional<std::string> QueryFields::text(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::string> QueryFields::required(std::string_view name) const {
  auto value = text(name);
  if (!value || value->empty()) return refused(name, "a value");
  return std::move(*value);
}

Result<std::int64_t> QueryFields::number(std::string_view name) const {
  const auto value = optional_number(name);
  if (!value) return value.error();
  if (!*value) return refused(name, "a number");
  return **value;
}

Result<std::optional<std::int64_t>> QueryFields::optional_number(std::string_view name) const {
  const auto digits = text(name);
  if (!digits) return std::optional<std::int64_t>();
  std::int64_t value = 0;
  const char* const end = digits->data() + digits->size();
  const auto [stop, error] = std::from_chars(digits->data(), end, value);
  if (error != std::errc{} || stop != end || value < 0) return refused(name, "a number of 0 or more");
  return std::optional(value);
}

Result<bool> QueryFields::flag(std::string_view name) const {
  const std::string value = text(name).value_or("0");
  if (value != "0" && value != "1") return refused(name, "0 or 1");
  return value == "1";
}

}  // namespace reelway::origin
