#pragma once

#include <string>
#include <vector>

#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"
#include "origin/hls/rendition.h"

namespace reelway::origin::hls {

// The audio tracks of one codec, from which a viewer chooses (RFC 8216bis section 4.4.6.1.1). All groups offer the same
// choices: what exists in the first group's codec only (a language without surround sound) stands in the others with
// that track, and their variants name both codecs.
struct AudioGroup {
  std::string id;
  std::string codecs;  // of all its members
  std::vector<const Track*> members;
  std::vector<Rendition> renditions;  // of the members; exactly one is the default, the same choice in all groups
  BitRates rates;                     // of the heaviest member, peak and average apart
};
// The group of the presentation's first audio track comes first. Views into the presentation.
std::vector<AudioGroup> audio_groups(const Presentation& presentation, Packaging packaging);

}  // namespace reelway::origin::hls
