#pragma once

#include <string>
#include <vector>

#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"
#include "origin/hls/rendition.h"

// The multivariant playlist (RFC 8216bis section 4.4.6, Apple's authoring rules), from its parts. What is no audio or
// video track of the presentation is brought by whoever makes it; this file only knows where it stands.

namespace reelway::origin::hls {

struct MultivariantOrder {
  const Presentation& presentation;
  Packaging packaging = Packaging::cmaf;
  // Of one group, named kSubtitlesGroup; empty for none. `subtitle_rates` are those of the heaviest.
  std::vector<Rendition> subtitles{};
  BitRates subtitle_rates{};
  std::string session_keys{};   // whole EXT-X-SESSION-KEY lines
  std::string image_streams{};  // whole EXT-X-IMAGE-STREAM-INF lines
  std::string title{};          // for people: the value of the session's title; empty for none
};
inline constexpr std::string_view kSubtitlesGroup = "subtitles";

std::string multivariant_playlist(const MultivariantOrder& order);

}  // namespace reelway::origin::hls
