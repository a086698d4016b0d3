#pragma once

#include <optional>

#include "origin/catalog/sound_level.h"

// By how much a track is made louder or softer. Pure.

namespace reelway::origin {

struct LoudnessOptions {
  std::optional<double> target_lufs = -24;  // none: sound is left as it is
  double peak_ceiling_dbtp = -2;
};

// More would lift a track's noise, or mean that it was measured on nothing.
inline constexpr double kBoostMax_db = 20, kCutMax_db = 30;

// One gain for the whole track, and no dynamics: towards the target, as far as its peaks stay below the ceiling.
// `measured` is of the track as it will be heard, before any gain. Without a target only a mix (`is_mixed`) is brought
// below the ceiling, because mixing and not the film made its peaks.
SoundLevel level_sound(const std::optional<SoundMeasure>& measured, bool is_mixed, const LoudnessOptions& options);

}  // namespace reelway::origin
