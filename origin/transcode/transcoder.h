#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/transcode/encode_plan.h"
#include "origin/transcode/sandbox.h"
#include "origin/transcode/source_facts.h"

namespace reelway::origin {

struct TranscodeOptions {
  std::string ffmpeg = "/usr/bin/ffmpeg";
  std::string ffprobe = "/usr/bin/ffprobe";
  SandboxOptions sandbox;
};

// Reads a film, or what a delivery has of one, through and says what it is. media_unreadable, media_truncated,
// media_no_video, media_no_audio, media_zero_duration, media_unsupported; shutting_down, timed_out,
// sandbox_unavailable.
Result<SourceFacts> probe(const std::string& source, const TranscodeOptions& options, const StopSignal& stop,
                          SourceKind kind = SourceKind::film);

// Makes the files of one part in the plan's output folder, which exists; the result is what it cost. `on_progress` gets
// 0 to 1 as it goes. What comes out is still to be checked (origin/jobs): an encoder's success is not taken on trust.
// transcode_failed, disk_full, media_truncated; shutting_down, timed_out, sandbox_unavailable.
Result<ToolCost> transcode(const EncodePlan& plan, const EncodePart& part, const TranscodeOptions& options,
                           const StopSignal& stop, const std::function<void(double)>& on_progress);

}  // namespace reelway::origin
