#include "origin/catalog/sound_level.h"

#include <array>

#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

constexpr std::array<std::string_view, 6> kLevelEnds{"reached", "peak", "limit", "silent", "unmeasured", "off"};
// What a stored gain may be: more would only be noise, or harm.
constexpr std::int32_t kGainMax_mB = 10'000;

}  // namespace

std::string_view name_of(LevelEnd end) {
  return kLevelEnds[static_cast<std::size_t>(end)];
}

nlohmann::json level_value(const SoundLevel& level) {
  nlohmann::json value = {{"end", name_of(level.end)}, {"gain_millibels", level.gain_millibels}};
  if (level.measured) {
    value["measured_lufs"] = level.measured->integrated_lufs;
    value["true_peak_dbtp"] = level.measured->true_peak_dbtp;
  }
  if (level.target_lufs) value["target_lufs"] = *level.target_lufs;
  return value;
}

Result<SoundLevel> parse_level(std::string_view key, const nlohmann::json& value) {
  RecordFields fields(key, value);
  SoundLevel level;
  level.end = fields.state<LevelEnd>("end", kLevelEnds);
  if (fields.find("measured_lufs") != nullptr) {
    level.measured = SoundMeasure{fields.number<double>("measured_lufs"), fields.number<double>("true_peak_dbtp")};
  }
  if (fields.find("target_lufs") != nullptr) level.target_lufs = fields.number<double>("target_lufs");
  level.gain_millibels = fields.number<std::int32_t>("gain_millibels");
  if (level.gain_millibels < -kGainMax_mB || level.gain_millibels > kGainMax_mB) fields.fail("gain_millibels");
  return fields.finish(level);
}

}  // namespace reelway::origin
