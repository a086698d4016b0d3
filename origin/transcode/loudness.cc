#include "origin/transcode/loudness.h"

#include <algorithm>
#include <cmath>

namespace reelway::origin {
namespace {

constexpr double kSilence_lufs = -70;  // what EBU R 128 gives where every moment is below its gate
constexpr double kNear_db = 0.05;      // so far from the target is at it
constexpr double kSlack = 1e-4;        // of hundredths: floats of FFmpeg are not exact

// Rounded so that rounding never passes the ceiling.
std::int32_t millibels(double gain_db) {
  return static_cast<std::int32_t>(std::floor(gain_db * 100 + kSlack));
}
SoundMeasure in_hundredths(const SoundMeasure& measure) {
  return {std::round(measure.integrated_lufs * 100) / 100, std::ceil(measure.true_peak_dbtp * 100 - kSlack) / 100};
}

}  // namespace

SoundLevel level_sound(const std::optional<SoundMeasure>& given, bool is_mixed, const LoudnessOptions& options) {
  SoundLevel level;
  level.target_lufs = options.target_lufs;
  level.end = options.target_lufs ? LevelEnd::unmeasured : LevelEnd::off;
  if (!given) return level;
  const SoundMeasure measured = in_hundredths(*given);
  level.measured = measured;
  if (measured.integrated_lufs <= kSilence_lufs) {
    if (options.target_lufs) level.end = LevelEnd::silent;
    return level;
  }
  const double room_db = options.peak_ceiling_dbtp - measured.true_peak_dbtp;
  if (!options.target_lufs) {
    if (is_mixed) level.gain_millibels = millibels(std::max(std::min(room_db, 0.0), -kCutMax_db));
    return level;
  }
  const double wanted_db = *options.target_lufs - measured.integrated_lufs;
  double gain_db = std::clamp(wanted_db, -kCutMax_db, kBoostMax_db);
  level.end = std::abs(gain_db - wanted_db) < kNear_db ? LevelEnd::reached : LevelEnd::limit;
  if (gain_db > room_db) {
    gain_db = std::max(room_db, -kCutMax_db);
    if (wanted_db - gain_db >= kNear_db) level.end = LevelEnd::peak;
  }
  level.gain_millibels = millibels(gain_db);
  return level;
}

}  // namespace reelway::origin
