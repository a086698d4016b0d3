#pragma once

#include <span>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "origin/transcode/sound_plan.h"

namespace reelway::origin {

// "transcode.loudness" ...: what the origin decides about sound, to be appended to its option table.
std::span<const config::Option> sound_options();
// config_value_invalid names the option and what was expected.
Result<SoundOptions> sound_options(const config::Settings& settings);

}  // namespace reelway::origin
