#pragma once

#include <cstdint>
#include <functional>

#include "common/base/bytes.h"
#include "origin/mp4/track_index.h"

// The boxes that say what a track is, alike in init segments and in track files (ISO/IEC 14496-12 section 8). Times are
// in the track's own timescale, which mvhd has too, so nothing is rounded.

namespace reelway::origin::mp4 {

// Each track travels in files of its own, so all have the same number in them.
inline constexpr std::uint32_t kTrackId = 1;

// How long a file is; both 0 in a fragmented one, which says so elsewhere.
struct StatedDurations {
  std::uint64_t presentation = 0;
  std::uint64_t media = 0;
};

void write_mvhd(ByteWriter& out, const TrackIndex& index, const StatedDurations& durations);
// The whole trak box; `write_tables` writes what follows stsd in stbl. `sample_entry` stands in for the index's, unless
// it is empty.
void write_trak(ByteWriter& out, const TrackIndex& index, const StatedDurations& durations,
                const std::function<void(ByteWriter&)>& write_tables, ByteView sample_entry = {});

}  // namespace reelway::origin::mp4
