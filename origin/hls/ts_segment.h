#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "origin/hls/segment_maker.h"
#include "origin/hls/timeline.h"

namespace reelway::origin::hls {

// Segments of MPEG-2 transport streams (ISO/IEC 13818-1), one track each. docs/formats/ts.md says what they look like.

// Of Packaging::ts, or with a key of Packaging::ts_sample_aes. packaging_not_offered when transport streams cannot
// carry the track.
Result<std::unique_ptr<SegmentMaker>> make_ts_segment_maker(const SegmentOrder& order);
bool ts_carries(const mp4::TrackIndex& index);
Result<void> check_ts_carries(const mp4::TrackIndex& index);

// The tracks that this packaging can carry. packaging_not_offered if no picture is left.
Result<Presentation> presentation_in_packaging(const Presentation& presentation, Packaging packaging);

// The length of a segment in the clear, from the index alone; SAMPLE-AES adds a byte in some millions. 0 if transport
// streams cannot carry the track.
std::uint64_t ts_segment_bytes(const mp4::TrackIndex& index, SegmentUnits units);

// Where the key frame that begins a unit lies in the segment's bytes: PAT, PMT and the packets of the frame, enough to
// show it. One for each unit that has pictures.
struct TsKeyFrame {
  std::uint32_t unit = 0;  // of the track
  std::uint64_t offset = 0, bytes = 0;
};
std::vector<TsKeyFrame> ts_key_frames(const mp4::TrackIndex& index, SegmentUnits units);

}  // namespace reelway::origin::hls
