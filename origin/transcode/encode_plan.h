#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "origin/transcode/ladder.h"
#include "origin/transcode/source_facts.h"

namespace reelway::origin {

struct AudioOutput {
  int stream = 0;
  std::string language;  // BCP 47
  std::string name;      // for people: the track's title, or its language's tag
  bool is_default = false;
  std::string track_id;  // "audio/en-aac"
};

// Everything that is decided about a film's encoding, before anything runs.
struct EncodePlan {
  std::string source;  // path
  std::string output_folder;
  int video_stream = 0;
  bool deinterlace = false;
  bool tone_map = false;
  FrameRate rate;                  // constant, the same in every rendition
  std::uint32_t group_frames = 0;  // key frames at its multiples: 2 s
  std::uint64_t frames = 0;        // of every rendition
  double still_s = 0;              // how long the last picture stands while audio goes on
  std::vector<Rung> rungs;
  std::vector<AudioOutput> audio;

  double duration_s() const { return static_cast<double>(frames) / rate.value(); }
  std::uint64_t audio_samples() const;  // of every audio track, at kAudioRate
};
inline constexpr std::uint32_t kAudioRate = 48'000;

// One audio track a language: the file's default one, else its first. `language` is that of tracks which name none.
EncodePlan plan_encode(const SourceFacts& facts, const std::string& language);

// "video/720" -> "video-720.mp4"
std::string track_file(const std::string& track_id);
std::string track_index_file(const std::string& track_id);

// FFmpeg's command: the source is decoded once, and each output is an MP4 of one track. Two runs over one source give
// equal bytes.
std::vector<std::string> ffmpeg_arguments(const EncodePlan& plan, const std::string& ffmpeg);
std::vector<std::string> probe_arguments(const std::string& source, const std::string& ffprobe);
std::vector<std::string> packet_scan_arguments(const std::string& source, const std::string& ffprobe);
// The words that open a source with FFmpeg's tools: a file, and of the containers of films only.
std::vector<std::string> source_arguments(const std::string& source);

}  // namespace reelway::origin
