#pragma once

#include <functional>

#include "common/base/result.h"
#include "origin/transcode/per_title.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Encodes the samples of the plan's film, one after another, in the plan's output folder, which is made and removed.
// A sample that cannot be encoded is left out: the film's parts will say what is wrong. Blocking; takes the CPU time of
// encoding rate_samples(), which is at most 3 % of a film of 7 minutes or more. Errors: shutting_down,
// sandbox_unavailable, disk_full, and those of the folder.
Result<RateTrial> try_samples(const EncodePlan& plan, const TranscodeOptions& options, const StopSignal& stop,
                              const std::function<void(double)>& on_progress);

}  // namespace reelway::origin
