#include "origin/fleet/title_mark.h"

#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

constexpr int kFormat = 1;

}  // namespace

std::string title_mark_key(std::string_view title) {
  return std::string(kTitleMarkPrefix).append(title);
}

std::string title_mark_json(bool withdrawn) {
  return nlohmann::json{{"format", kFormat}, {"withdrawn", withdrawn}}.dump();
}

Result<bool> parse_title_mark(std::string_view key, std::string_view json) {
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (value.is_object() && value.value("format", nlohmann::json()) == kFormat && value.contains("withdrawn") &&
      value["withdrawn"].is_boolean()) {
    return value["withdrawn"].get<bool>();
  }
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
               "control store key " + std::string(key) + ": no mark of a title"};
}

}  // namespace reelway::origin
