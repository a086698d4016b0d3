#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/mp4/track_index.h"
#include "origin/transcode/encode_plan.h"

namespace reelway::origin {

// The index of an MP4 of one track, without the sums of its units. Arguments and errors as index_track().
Result<mp4::TrackIndex> read_track(const std::string& path, const mp4::Cuts* cuts);

// The index of an MP4 of one track, with the sum of every unit's bytes. `cuts`: of the video, for audio; else null.
// mp4_malformed, media_truncated, io_failed.
Result<mp4::TrackIndex> index_track(const std::string& path, const mp4::Cuts* cuts);

// Indexes every output of the plan, checks that they are what the plan asked for and that they can be cut alike, and
// makes all of it durable: track files, index files and their folder. The records are those of the version.
// media_truncated when pictures are missing, transcode_failed for any other difference.
Result<std::vector<TrackRecord>> index_outputs(const EncodePlan& plan);

// Whether a track file still holds the bytes that were indexed: verification_failed names the unit; io_failed.
Result<void> check_units(const std::string& path, const mp4::TrackIndex& index);

}  // namespace reelway::origin
