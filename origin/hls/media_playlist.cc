#include <cstdio>

#include "origin/hls/presentation.h"
#include "origin/hls/timeline.h"

namespace reelway::origin::hls {
namespace {

std::string seconds(std::uint64_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%06llu", static_cast<unsigned long long>(microseconds / 1'000'000),
                static_cast<unsigned long long>(microseconds % 1'000'000));
  return text;
}

}  // namespace

std::string media_playlist(const Presentation& presentation, const Track& track) {
  std::string text =
      "#EXTM3U\n"
      "#EXT-X-VERSION:7\n"
      "#EXT-X-TARGETDURATION:" +
      std::to_string(target_seconds(presentation)) +
      "\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n"
      "#EXT-X-PLAYLIST-TYPE:VOD\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n"
      "#EXT-X-MAP:URI=\"init.mp4\"\n";
  const std::uint32_t count = segment_count(*track.index, presentation.units_per_segment);
  for (std::uint32_t n = 0; n < count; ++n) {
    const SegmentUnits units = segment_units(*track.index, presentation.units_per_segment, n);
    text += "#EXTINF:" + seconds(segment_microseconds(*track.index, units)) + ",\n" + std::to_string(n) + ".m4s\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

}  // namespace reelway::origin::hls
