#pragma once

#include <optional>
#include <vector>

#include "origin/transcode/encode_plan.h"
#include "origin/transcode/loudness.h"

// What is decided about a film's sound once it has been measured. Pure.

namespace reelway::origin {

// One stream of the source: as it is, and as the tracks that are mixed from it (channel_mix.h), where they differ.
struct StreamSound {
  int stream = -1;
  SoundMeasure own;
  std::optional<SoundMeasure> stereo, surround;
};

struct SoundOptions {
  LoudnessOptions loudness;
};

// Gives each track of the plan its level, by the measure of what it is made of.
void level_plan(EncodePlan& plan, const std::vector<StreamSound>& measured, const LoudnessOptions& options);

}  // namespace reelway::origin
