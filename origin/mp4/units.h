#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin::mp4 {

// Cuts samples into units, of which first_sample and sample_count are set. `index` says timescale and edit.
// Video: at sync samples; media_unsupported unless each unit can be presented without the others (closed GOPs).
// Audio: at the first sample that is presented at or after each cut; without cuts, every 2 s.
Result<std::vector<Unit>> cut_video_units(const TrackIndex& index, std::span<const Sample> samples);
Result<std::vector<Unit>> cut_audio_units(const TrackIndex& index, std::span<const Sample> samples, const Cuts* cuts);

// What no index could hold of these samples: an empty text, or a complaint.
std::string sample_complaint(std::span<const Sample> samples);

// Gives the index, whose samples are set, its units; what follows from the samples (the units' decode times and file
// ranges, and the media duration) is filled in. False when the units do not tile the samples.
bool place_units(TrackIndex& index, std::vector<Unit> units, std::uint64_t file_offset);

// Whether all that packaging relies on holds: an empty text, or what is wrong. Asked of every index that is made.
std::string index_complaint(const TrackIndex& index);

}  // namespace reelway::origin::mp4
