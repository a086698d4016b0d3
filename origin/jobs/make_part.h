#pragma once

#include <functional>

#include "common/base/result.h"
#include "origin/jobs/job_board.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Makes one part of a plan (with its paths) and makes it durable. What came out is looked at: each file is one track
// with as many pictures as planned. `cost` is told also when it fails. Errors as transcode(), and media_truncated when
// pictures could not be decoded.
Result<TaskOutcome> make_part(const EncodePlan& plan, const EncodePart& part, const TranscodeOptions& options,
                              const StopSignal& stop, const std::function<void(double)>& on_progress, JobCost& cost);

}  // namespace reelway::origin
