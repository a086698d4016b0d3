#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin::mp4 {

// Cuts the samples of an index into units (first_sample and sample_count are set).
// Video: at sync samples; media_unsupported unless each unit can be presented without the others (closed GOPs).
// Audio: at the first sample that is presented at or after each cut; without cuts, every 2 s.
Result<void> cut_video_units(TrackIndex& index);
Result<void> cut_audio_units(TrackIndex& index, const Cuts* cuts);

// Fills what follows from the samples: the units' decode times and file ranges, and the media duration.
void place_units(TrackIndex& index, std::uint64_t file_offset);

// Whether all that packaging relies on holds: an empty text, or what is wrong. Asked of every index that is made.
std::string index_complaint(const TrackIndex& index);

}  // namespace reelway::origin::mp4
