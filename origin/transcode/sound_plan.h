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
  std::optional<SoundCodec> surround = SoundCodec::eac3;  // none: stereo only
};

// Adds a track in 5.1 for each language of the plan whose own source has it, or else another one of the file in that
// language that is no commentary and the like. They follow all the stereo ones, each under the name of its language's.
void plan_surround(EncodePlan& plan, const SourceFacts& facts, const std::string& language, SoundCodec codec);

// Gives each track of the plan its level, by the measure of what it is made of.
void level_plan(EncodePlan& plan, const std::vector<StreamSound>& measured, const LoudnessOptions& options);

}  // namespace reelway::origin
