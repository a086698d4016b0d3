#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"
#include "origin/hls/rendition.h"

// Subtitles as players of HLS want them: WebVTT in segments that end where the picture's do (RFC 8216bis
// section 3.1.4), over the whole film, also where nobody speaks (Apple's rule 5.5).

namespace reelway::origin::hls {

// When each segment begins, in microseconds, and at last when the film ends: the boundaries of the first picture.
std::vector<std::uint64_t> text_boundaries(const Presentation& presentation);

// The same for every track.
std::string text_playlist(const Presentation& presentation);
// http_not_found past the last one.
Result<std::string> text_segment(const Presentation& presentation, const TextTrack& track, Packaging packaging,
                                 std::uint32_t segment);

// As a multivariant playlist tells of them (rules 4.5, 4.6, 5.11); empty when there are none.
std::vector<Rendition> text_renditions(const Presentation& presentation);
// Of the heaviest track, as its segments are sent.
BitRates text_rates(const Presentation& presentation);

}  // namespace reelway::origin::hls
