#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "common/base/result.h"

// How loud the sound of one audio track was, and what was done about it. Pure.

namespace reelway::origin {

// Why a track has the loudness that it has.
enum class LevelEnd : std::uint8_t {
  reached,     // it is at its target
  peak,        // its peaks would pass the ceiling: it stays below its target
  limit,       // more gain or less than is ever given would be needed
  silent,      // there is no sound that could be measured: nothing was done
  unmeasured,  // the way from the source's channels to the track's is not known here: nothing was done
  off,         // it was not asked for
};
std::string_view name_of(LevelEnd end);

// By EBU R 128.
struct SoundMeasure {
  double integrated_lufs = -70;
  double true_peak_dbtp = -200;
  bool operator==(const SoundMeasure&) const = default;
};

struct SoundLevel {
  LevelEnd end = LevelEnd::off;
  std::optional<SoundMeasure>
      measured;                       // of the channels that the track has (after a mix, of the mix), before the gain
  std::optional<double> target_lufs;  // none with `off`
  std::int32_t gain_millibels = 0;    // what every sample was multiplied by, in hundredths of a decibel

  double gain_db() const { return gain_millibels / 100.0; }
  bool operator==(const SoundLevel&) const = default;
};

// As it stands in records.
nlohmann::json level_value(const SoundLevel& level);
// stored_data_corrupt, naming the key.
Result<SoundLevel> parse_level(std::string_view key, const nlohmann::json& value);

}  // namespace reelway::origin
