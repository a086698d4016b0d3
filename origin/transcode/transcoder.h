#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/transcode/sandbox.h"

namespace reelway::origin {

struct TranscodeOptions {
  std::string ffmpeg = "/usr/bin/ffmpeg";
  std::string ffprobe = "/usr/bin/ffprobe";
  SandboxOptions sandbox;
};

}  // namespace reelway::origin
