#pragma once

#include <cstdint>
#include <vector>

#include "common/base/bytes.h"
#include "origin/hls/timeline.h"

namespace reelway::origin::hls {

// What the header of a segment says of how its samples are encrypted (ISO/IEC 23001-7 section 7): written as senc, and
// saiz and saio, which point into it.
struct SampleAuxiliary {
  Bytes entries;                    // of all samples, one after another: IV, then the count and sizes of subsamples
  std::vector<std::uint8_t> sizes;  // bytes of each sample's entry
  bool has_subsamples = false;
};

// The length of a media segment, without building it. Of packagings whose length depends on the media's bytes
// (SAMPLE-AES of transport streams) it is what encryption leaves it at on average.
std::uint64_t segment_bytes(const mp4::TrackIndex& index, SegmentUnits units, Packaging packaging = Packaging::cmaf);

// Of fragmented MP4 in the clear, which the others are made from.
std::uint64_t clear_segment_bytes(const mp4::TrackIndex& index, SegmentUnits units);

// styp, moof and the header of mdat; the units' media follows. `auxiliary` is null for samples in the clear.
Bytes segment_header(const mp4::TrackIndex& index, SegmentUnits units, std::uint32_t segment,
                     const SampleAuxiliary* auxiliary);

// The computed beginning of a fragment: moof, and the header of the mdat that the samples' bytes are.
struct FragmentOrder {
  const mp4::TrackIndex& index;
  std::vector<mp4::Sample> samples;
  std::uint64_t media_bytes = 0;
  std::uint64_t decode_time = 0;  // of the first sample, in media time
  std::uint32_t sequence = 0;     // from 1
};
Bytes fragment_header(FragmentOrder order);

}  // namespace reelway::origin::hls
