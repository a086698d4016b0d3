#pragma once

#include <string>
#include <string_view>

// From a source's channels to those of a track, as filters of FFmpeg. Pure.
//
// The weights are those of ITU-R BS.775: the centre and each surround channel go into left and right with 0.7071 (-3
// dB). The bass channel (LFE) goes into no stereo track: it holds effects that a mix repeats in the other channels, it
// is mixed 10 dB louder than it is stored, and small loudspeakers cannot play it. Nothing is scaled down to make room:
// the mix is measured and brought to its level as a whole (loudness.h).

namespace reelway::origin {

// The name of the layout, as FFmpeg has it ("5.1(side)"), if what it means is known here; of a source that names none,
// the usual one of its number of channels. Else empty.
std::string known_layout(std::string_view stated, int channels);

// Makes stereo of a known layout. Empty for stereo: there is nothing to do. Mono plays on both sides, as loud as it is.
std::string stereo_mix(std::string_view layout);
// Whether a track in stereo has another loudness than its source.
bool is_mixed_to_stereo(std::string_view layout);

// Makes 5.1 of a layout that has all of it; else empty. So nothing is ever spread over more channels than it has.
std::string surround_mix(std::string_view layout);
// Whether a track in 5.1 has another loudness than its source.
bool is_mixed_to_surround(std::string_view layout);

}  // namespace reelway::origin
