#pragma once

#include "origin/hls/segment_maker.h"

namespace reelway::origin::hls {

// Segments of cbcs and cenc (ISO/IEC 23001-7): the header of segment.h with senc, then the units' media with the
// samples encrypted in place. Of video the subsamples are found first, by looking at every NAL unit; they are its
// notes. The order's segment exists and it has a key. packaging_not_offered for a codec whose samples are not encrypted
// here.
Result<std::unique_ptr<SegmentMaker>> make_protected_segment(const SegmentOrder& order);

// The IV of a sample of cenc: its track's number and its own, and 8 bytes in which the blocks are counted. So none
// comes twice under one key, and a segment is the same whenever it is made.
std::array<std::uint8_t, 16> cenc_iv(const ContentKey& key, std::uint64_t sample);

}  // namespace reelway::origin::hls
