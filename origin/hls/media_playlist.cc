#include "origin/hls/playlist_text.h"
#include "origin/hls/presentation.h"
#include "origin/hls/timeline.h"

namespace reelway::origin::hls {
std::string media_playlist(const Presentation& presentation, const Track& track, Packaging packaging,
                           std::string_view key_lines) {
  const bool has_init = traits(packaging).container == Container::fmp4;
  std::string text =
      "#EXTM3U\n"
      "#EXT-X-VERSION:7\n"
      "#EXT-X-TARGETDURATION:" +
      std::to_string(target_seconds(presentation)) +
      "\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n"
      "#EXT-X-PLAYLIST-TYPE:VOD\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n";
  // A key that stands before the map is the map's too (RFC 8216bis section 4.4.4.5).
  text += key_lines;
  if (has_init) text += "#EXT-X-MAP:URI=\"init.mp4\"\n";
  const std::uint32_t count = segment_count(*track.index, presentation.units_per_segment);
  const std::string_view suffix = segment_suffix(packaging);
  for (std::uint32_t n = 0; n < count; ++n) {
    const SegmentUnits units = segment_units(*track.index, presentation.units_per_segment, n);
    text += extinf_line(segment_microseconds(*track.index, units)) + std::to_string(n);
    text.append(suffix).append("\n");
  }
  return text + "#EXT-X-ENDLIST\n";
}

}  // namespace reelway::origin::hls
