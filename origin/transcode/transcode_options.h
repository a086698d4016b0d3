#pragma once

#include <span>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// "transcode.ffmpeg", "transcode.sandbox" ...: how media tools are run, to be appended to the option table of each
// program that runs them.
std::span<const config::Option> transcode_options();
// config_value_invalid names the option and what was expected.
Result<TranscodeOptions> transcode_options(const config::Settings& settings);

}  // namespace reelway::origin
