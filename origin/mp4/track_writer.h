#pragma once

#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/mp4/track_index.h"

// Writing a track file: one track, its moov in front, its samples behind in decode order without gaps. Pure.

namespace reelway::origin::mp4 {

// The track that plays all of `parts` one after the other, each as a whole: video that was encoded in chunks. Units
// are cut anew and lie as if the first sample were at offset 0, their sums are zero. transcode_failed names the first
// part that differs from the first in what a track states once (codec configuration, size, timescale).
Result<TrackIndex> join_video(std::span<const TrackIndex> parts);

// What comes before the samples in the file of that track: ftyp, moov and the header of mdat. The bytes of all samples
// follow.
Bytes track_file_head(const TrackIndex& index);

}  // namespace reelway::origin::mp4
