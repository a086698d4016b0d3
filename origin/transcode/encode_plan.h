#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "origin/catalog/records.h"
#include "origin/catalog/sound_level.h"
#include "origin/transcode/crop_frame.h"
#include "origin/transcode/ladder.h"
#include "origin/transcode/source_facts.h"

namespace reelway::origin {

enum class SoundCodec : std::uint8_t { aac, eac3, ac3 };  // stereo, 5.1, 5.1
std::string_view name_of(SoundCodec codec);               // as in track ids
std::optional<SoundCodec> sound_codec_of(std::string_view name);

struct AudioOutput {
  int stream = 0;
  std::string language;  // BCP 47
  std::string name;      // for people: the track's title, or its language's tag
  bool is_default = false;
  std::string track_id;     // "audio/en-aac"
  std::string layout = {};  // of the source's channels, as channel_mix.h knows it; empty: not known
  SoundLevel level = {};    // with the gain that the track is given
  SoundCodec codec = SoundCodec::aac;
  std::string source = {};  // name of the delivered file that has it; empty: the film's own
};

// What becomes of pictures that are woven of two moments.
enum class Deinterlace : std::uint8_t {
  none,
  flagged,   // those that the file marks so, in the field order that it states
  found,     // those that look so, in the order that they show: the file's marks are missing or wrong
  telecine,  // film in television's rhythm: fields go back to the picture that they came from
};

// Everything that is decided about a film's encoding, before anything runs.
struct EncodePlan {
  std::string source;  // path
  std::string output_folder;
  int video_stream = 0;
  Deinterlace deinterlace = Deinterlace::none;
  std::optional<CropFrame> crop;  // none: the whole picture
  bool tone_map = false;
  FrameRate rate;                  // constant, the same in every rendition
  std::uint32_t group_frames = 0;  // key frames at its multiples: 2 s
  std::uint64_t frames = 0;        // of every rendition
  std::uint64_t chunk_frames = 0;  // of each video part but the last, a multiple of group_frames; 0: one part
  double still_s = 0;              // how long the last picture stands while audio goes on
  std::vector<Rung> rungs;
  RateProbe probe;
  std::vector<AudioOutput> audio;

  double duration_s() const { return static_cast<double>(frames) / rate.value(); }
  std::uint64_t audio_samples() const;  // of every audio track, at kAudioRate
};
inline constexpr std::uint32_t kAudioRate = 48'000;

// What a track of this codec is like, as FFmpeg encodes it.
struct SoundFormat {
  std::uint32_t channels = 0;
  std::uint32_t frame_samples = 0;
  std::uint32_t priming_samples = 0;  // that a decoder gives before the first one of the film
  std::string_view codecs;            // RFC 6381, its beginning
};
const SoundFormat& sound_format(SoundCodec codec);

// One audio track a language, in stereo: the file's default one, else its first. `language` is that of tracks which
// name none.
EncodePlan plan_encode(const SourceFacts& facts, const std::string& language);

// Leaves out what is outside of the frame; the ladder becomes that of the picture that is left. A frame that does not
// fit into the picture, or leaves less than kCropSideMin of it, changes nothing.
void apply_crop(EncodePlan& plan, const SourceFacts& facts, const CropFrame& frame);
inline constexpr std::uint32_t kCropSideMin = 64;

// "video/720" -> "video-720.mp4"
std::string track_file(const std::string& track_id);
std::string track_index_file(const std::string& track_id);

// What one process makes of the plan, whoever runs it and when: a run of groups of all renditions, decoded once, or one
// audio track. (Audio is encoded as a whole: AAC frames overlap, so pieces could not be joined without a click.)
struct EncodePart {
  std::string name;                           // "video-0003", "audio-en-aac"; stands in paths
  std::optional<std::size_t> audio;           // of EncodePlan::audio; none: video
  std::uint64_t first_frame = 0, frames = 0;  // of the film; audio: all of it
  // A sample of the video from which bit rates are chosen: begins at the source's key frame before first_frame, and is
  // encoded at kProbeQuality, however many bits that takes.
  bool is_sample = false;
};
std::vector<EncodePart> encode_parts(const EncodePlan& plan);
inline constexpr int kProbeQuality = 22;  // x264's CRF; per_title.h says why
// The files that a part makes, by their names within its folder.
std::vector<std::string> part_files(const EncodePlan& plan, const EncodePart& part);

// FFmpeg's command for one part: each output is an MP4 of one track. Two runs over one source give equal bytes.
std::vector<std::string> ffmpeg_arguments(const EncodePlan& plan, const EncodePart& part, const std::string& ffmpeg);
std::vector<std::string> probe_arguments(const std::string& source, const std::string& ffprobe);
std::vector<std::string> packet_scan_arguments(const std::string& source, const std::string& ffprobe);
// The words that open a source with FFmpeg's tools: a file, and of the containers of films only.
std::vector<std::string> source_arguments(const std::string& source);

}  // namespace reelway::origin
