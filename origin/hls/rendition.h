#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reelway::origin::hls {

// What viewers choose from beside the picture, as EXT-X-MEDIA tells it (RFC 8216bis section 4.4.6.1).
struct Rendition {
  enum class Type : std::uint8_t { audio, subtitles };
  Type type = Type::audio;
  std::string group;
  std::string name;
  std::string language;         // BCP 47
  std::string track_id;         // folder of its media playlist, and what stays the same of it (STABLE-RENDITION-ID)
  std::string characteristics;  // joined by commas; empty for none
  std::string channels;         // "2", "6/JOC"; of audio
  bool is_default = false;
  bool autoselect = true;
  bool forced = false;                  // of subtitles
  std::string playlist = "media.m3u8";  // its name within the folder
};

std::string media_line(const Rendition& rendition);

// Uniform Type Identifiers for `characteristics`. Apple's rules 2.12 and 4.5 name them.
inline constexpr std::string_view kDescribesVideo = "public.accessibility.describes-video";
inline constexpr std::string_view kForTheDeaf =
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";

}  // namespace reelway::origin::hls
