#include "origin/transcode/sound_plan.h"

#include <algorithm>

#include "origin/transcode/channel_mix.h"

namespace reelway::origin {
namespace {

bool is_mixed(const AudioOutput& output) {
  return output.codec == SoundCodec::aac ? is_mixed_to_stereo(output.layout) : is_mixed_to_surround(output.layout);
}

// None where the source's channels are not known: FFmpeg mixes these by rules of its own.
std::optional<SoundMeasure> measure_of(const AudioOutput& output, const std::vector<StreamSound>& measured) {
  const auto place = std::find_if(measured.begin(), measured.end(),
                                  [&](const StreamSound& sound) { return sound.stream == output.stream; });
  if (place == measured.end() || output.layout.empty()) return std::nullopt;
  if (!is_mixed(output)) return place->own;
  return output.codec == SoundCodec::aac ? place->stereo : place->surround;
}

// The stream that a language's 5.1 is made of; null for none.
const AudioSource* surround_source(const SourceFacts& facts, const std::string& language, const AudioOutput& stereo) {
  const AudioSource* found = nullptr;
  for (const AudioSource& source : facts.audio) {
    const std::string& spoken = source.language.empty() ? language : source.language;
    if (spoken != stereo.language || surround_mix(source.layout).empty()) continue;
    if (source.stream == stereo.stream) return &source;
    if (found == nullptr && !source.is_aside) found = &source;
  }
  return found;
}

}  // namespace

void plan_surround(EncodePlan& plan, const SourceFacts& facts, const std::string& language, SoundCodec codec) {
  std::vector<AudioOutput> added;
  for (const AudioOutput& stereo : plan.audio) {
    const AudioSource* source = surround_source(facts, language, stereo);
    if (source == nullptr) continue;
    AudioOutput output = stereo;
    output.stream = source->stream;
    output.layout = source->layout;
    output.is_default = false;
    output.codec = codec;
    output.track_id = "audio/" + stereo.language + "-" + std::string(name_of(codec));
    added.push_back(std::move(output));
  }
  plan.audio.insert(plan.audio.end(), added.begin(), added.end());
}

void level_plan(EncodePlan& plan, const std::vector<StreamSound>& measured, const LoudnessOptions& options) {
  for (AudioOutput& output : plan.audio) {
    output.level = level_sound(measure_of(output, measured), is_mixed(output), options);
  }
}

}  // namespace reelway::origin
