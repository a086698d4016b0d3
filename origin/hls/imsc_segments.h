#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/hls/presentation.h"
#include "origin/hls/rendition.h"

// Subtitles of TTML as IMSC 1.1's text profile in fragmented MP4 (ISO/IEC 14496-30, Apple's rule 5.3): one document a
// segment, beside the same subtitles in WebVTT. Segments end where the picture's do.

namespace reelway::origin::hls {

// The same for every track.
std::string imsc_playlist(const Presentation& presentation);
// Of a track that has TTML.
Bytes imsc_init(const Presentation& presentation, const TextTrack& track);
Result<std::string> imsc_segment(const Presentation& presentation, const TextTrack& track, std::uint32_t segment);

// All that text_renditions() has, in IMSC where there is some. Empty when there is none at all, and for transport
// streams.
std::vector<Rendition> imsc_renditions(const Presentation& presentation, Packaging packaging);

}  // namespace reelway::origin::hls
