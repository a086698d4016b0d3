#pragma once

#include <string>
#include <vector>

#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"
#include "origin/hls/rendition.h"

// The multivariant playlist (RFC 8216bis section 4.4.6, Apple's authoring rules), from its parts. What is no audio or
// video track of the presentation is brought by whoever makes it; this file only knows where it stands.

namespace reelway::origin::hls {

// Where players learn which edge to use (RFC 8216bis section 7). The playlist itself has one pathway, the host that it
// came from: the others are clones of it that the steering manifest names by host, so the token in the path goes along.
struct Steering {
  std::string server_uri;  // empty: none. "{$name}" in it is the query parameter `name` of the playlist's own URL
  std::string pathway = "edge";
};
// config_value_invalid names what is wrong with it.
Result<void> check_steering(const Steering& steering);

struct MultivariantOrder {
  const Presentation& presentation;
  Packaging packaging = Packaging::cmaf;
  // Of one group, named kSubtitlesGroup; empty for none. `subtitle_rates` are those of the heaviest.
  std::vector<Rendition> subtitles{};
  BitRates subtitle_rates{};
  // The same choice with IMSC 1.1 where there is some, named kImscGroup; empty for none. Variants with it follow those
  // with the other group, so only players that look for it take them.
  std::vector<Rendition> imsc{};
  std::string session_keys{};   // whole EXT-X-SESSION-KEY lines
  std::string image_streams{};  // whole EXT-X-IMAGE-STREAM-INF lines
  std::string title{};          // for people: the value of the session's title; empty for none
  Steering steering{};
};
inline constexpr std::string_view kSubtitlesGroup = "subtitles";
inline constexpr std::string_view kImscGroup = "subtitles-imsc";
inline constexpr std::string_view kImscCodecs = "stpp.ttml.im1t";  // RFC 6381, ISO/IEC 14496-30: IMSC 1.1, text profile

std::string multivariant_playlist(const MultivariantOrder& order);

}  // namespace reelway::origin::hls
