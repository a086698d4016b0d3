#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What a film is, from what ffprobe says of it. Pure: text in, facts or a refusal out.

namespace reelway::origin {

struct FrameRate {
  std::uint32_t numerator = 0;
  std::uint32_t denominator = 1;
  double value() const { return static_cast<double>(numerator) / denominator; }
  bool operator==(const FrameRate&) const = default;
};

struct VideoSource {
  int stream = 0;
  std::uint32_t width = 0, height = 0;  // as shown: square pixels, turned upright
  FrameRate rate;                       // average, snapped to a usual one when it is that within 0.05 %
  bool interlaced = false;
  bool high_dynamic_range = false;
  double stated_end_s = 0;                          // where the container says that it ends; 0: not said
  std::uint32_t pixel_columns = 0, pixel_rows = 0;  // of the upright picture, in the source's own pixels
};

struct AudioSource {
  int stream = 0;
  std::string language;  // BCP 47; empty when the file does not say
  std::string title;
  bool is_default = false;
  double stated_end_s = 0;
  std::string layout = {};     // of its channels, as channel_mix.h knows it; empty: not known
  bool is_aside = false;       // a commentary, or made for those who cannot see or hear: not the film's own sound
  std::uint32_t channels = 0;  // 0: not said
};

struct SourceFacts {
  std::string format;     // ffprobe's name: "mov,mp4,m4a,3gp,3g2,mj2"
  double start_s = 0;     // the container's first time; times below are on the same scale
  double duration_s = 0;  // as stated; 0: not said
  VideoSource video;
  std::vector<AudioSource> audio;  // at least one, but of a picture
  // After the packets have been read through (packet_scan.h):
  double video_end_s = 0, audio_end_s = 0;
};

// What a file must have: a film both; the picture of a delivery whose sound comes in files of its own need have no
// audio, and such a file of sound need have no video, whose facts then stay empty.
enum class SourceKind : std::uint8_t { film, picture, sound };

// From ffprobe's JSON of -show_format -show_streams. media_no_video, media_no_audio, media_unsupported.
Result<SourceFacts> source_facts(std::string_view json, SourceKind kind = SourceKind::film);

// From the failure of ffprobe: media_truncated (a file that announces an index which is not there), media_unsupported,
// else media_unreadable. `head` is the beginning of the file, `errors` what ffprobe wrote on standard error.
Error refusal(std::string_view head, std::string_view errors);

}  // namespace reelway::origin
