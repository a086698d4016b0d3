#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// How far the ends of a version's tracks may lie apart: less than anybody hears, and more than the last frame of sound
// that is filled up, and the last picture.
inline constexpr double kEndsApartMax_s = 0.1;
// How far a unit of sound may begin from the picture's: a frame of sound (32 ms of AC-3), and rounding.
inline constexpr double kCutsApartMax_s = 0.035;

struct VerifyRequest {
  std::string folder;         // of the version's files, as it will be published
  const EncodePlan& plan;     // what should have come out
  std::size_t processes = 1;  // decoders at once
};

// Looks at a version as its viewers will: every file is decoded once from end to end, to as many pictures and samples
// as planned; the indexes are read back from the disk, and the bytes are still those they were made of; key frames of
// all renditions stand at the same times, and sound and picture begin and end together. Sets the sums of all files in
// `tracks`. The result is what it cost. verification_failed names the file and what is wrong with it; shutting_down,
// timed_out, sandbox_unavailable, io_failed. Changes nothing on the disk, so it may be cut off anywhere and done again.
Result<JobCost> verify_version(const VerifyRequest& request, std::vector<TrackRecord>& tracks,
                               const TranscodeOptions& options, const StopSignal& stop,
                               const std::function<void(double)>& on_progress);

}  // namespace reelway::origin
