#include "origin/transcode/sound_plan.h"

#include <algorithm>

#include "origin/transcode/channel_mix.h"

namespace reelway::origin {
namespace {

// None where the source's channels are not known: FFmpeg mixes these by rules of its own.
std::optional<SoundMeasure> measure_of(const AudioOutput& output, const std::vector<StreamSound>& measured) {
  const auto place = std::find_if(measured.begin(), measured.end(),
                                  [&](const StreamSound& sound) { return sound.stream == output.stream; });
  if (place == measured.end() || output.layout.empty()) return std::nullopt;
  return is_mixed_to_stereo(output.layout) ? place->stereo : place->own;
}

}  // namespace

void level_plan(EncodePlan& plan, const std::vector<StreamSound>& measured, const LoudnessOptions& options) {
  for (AudioOutput& output : plan.audio) {
    output.level = level_sound(measure_of(output, measured), is_mixed_to_stereo(output.layout), options);
  }
}

}  // namespace reelway::origin
