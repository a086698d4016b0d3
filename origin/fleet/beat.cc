#include "origin/fleet/beat.h"

#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

Error corrupt(std::string_view what) {
  Error error;
  error.code = ErrorCode::stored_data_corrupt;
  error.side = Side::disk;
  error.detail.append("control store key ").append(kBeatKey).append(": ").append(what);
  return error;
}

// Nothing when it is absent or below 0.
const json* whole_number(const json& value, const char* name) {
  const auto found = value.find(name);
  return found != value.end() && found->is_number_unsigned() ? &*found : nullptr;
}

}  // namespace

std::string to_json(const Beat& beat) {
  return json{{"format", kFormat}, {"time_ms", beat.time_ms}, {"turn", beat.turn}}.dump();
}

Result<Beat> parse_beat(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || value.value("format", json()) != kFormat) return corrupt("not an object of format 1");
  const json* time = whole_number(value, "time_ms");
  const json* turn = whole_number(value, "turn");
  if (time == nullptr || turn == nullptr) return corrupt("no time_ms or no turn");
  const auto time_ms = time->get<std::uint64_t>();
  if (time_ms > static_cast<std::uint64_t>(INT64_MAX)) return corrupt("a time_ms out of range");
  return Beat{static_cast<std::int64_t>(time_ms), turn->get<std::uint64_t>()};
}

}  // namespace reelway::origin
