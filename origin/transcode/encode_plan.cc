#include "origin/transcode/encode_plan.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace reelway::origin {
namespace {

constexpr double kGroupSeconds = 2;
// A film is cut into about that many parts, so that a short one too is made by several processors. A part is long
// enough that starting a process and finding its place costs little (a start about 0.1 s of CPU, the place at most one
// of the source's groups of pictures), and short enough that losing one hurts little.
constexpr std::uint64_t kParts = 8;
constexpr std::uint64_t kPartGroupsMin = 5, kPartGroupsMax = 30;
// Audio that is longer than the video by no more than this is cut: an encoder's last frames are rarely sound.
constexpr double kAudioOverhang_s = 0.25;

bool is_better(const AudioSource& candidate, const AudioSource& present) {
  return candidate.is_default && !present.is_default;
}

// Titles such as "Dolby Digital 5.1" are true of the source's stream, but not of the tracks that are made of it. Also
// of an empty title.
bool tells_only_format(std::string_view title) {
  constexpr std::string_view kWords =
      " 1.0 2.0 2.1 5.1 6.1 7.1 mono stereo surround sound audio track dolby digital plus atmos truehd dts hd dts-hd "
      "ma "
      "ac3 ac-3 eac3 e-ac-3 dd dd+ ddp aac pcm lpcm flac lossless ";
  std::string word = " ";
  for (const char c : std::string(title) + ' ') {
    word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (c != ' ') continue;
    if (word.size() > 2 && kWords.find(word) == std::string_view::npos) return false;
    word = " ";
  }
  return true;
}

std::vector<AudioOutput> audio_outputs(const std::vector<AudioSource>& sources, const std::string& language) {
  std::vector<AudioSource> chosen;
  for (AudioSource source : sources) {
    if (source.language.empty()) source.language = language;
    const auto same = std::find_if(chosen.begin(), chosen.end(),
                                   [&](const AudioSource& other) { return other.language == source.language; });
    if (same == chosen.end())
      chosen.push_back(source);
    else if (is_better(source, *same))
      *same = source;
  }
  auto first = std::find_if(chosen.begin(), chosen.end(), [](const AudioSource& source) { return source.is_default; });
  if (first == chosen.end()) first = chosen.begin();
  std::rotate(chosen.begin(), first, first == chosen.end() ? first : first + 1);
  std::vector<AudioOutput> outputs;
  for (const AudioSource& source : chosen) {
    outputs.push_back({source.stream,
                       source.language,
                       tells_only_format(source.title) ? source.language : source.title,
                       outputs.empty(),
                       "audio/" + source.language + "-aac",
                       source.layout,
                       {}});
  }
  return outputs;
}

// Containers whose index leads straight to the key frame before a given time. Others are only scanned for it, and a
// scan may land behind the place: their films are decoded in one piece.
bool is_seekable(const std::string& format) {
  return format.starts_with("mov,") || format.starts_with("matroska");
}

std::string flat(std::string track_id) {
  std::replace(track_id.begin(), track_id.end(), '/', '-');
  return track_id;
}

constexpr std::array<std::string_view, 3> kSoundCodecs{"aac", "eac3", "ac3"};
constexpr std::array<SoundFormat, 3> kSoundFormats{{
    {2, 1024, 1024, "mp4a.40.2"},
    {6, 1536, 256, "ec-3"},
    {6, 1536, 256, "ac-3"},
}};

}  // namespace

std::string_view name_of(SoundCodec codec) {
  return kSoundCodecs[static_cast<std::size_t>(codec)];
}

std::optional<SoundCodec> sound_codec_of(std::string_view name) {
  const auto place = std::find(kSoundCodecs.begin(), kSoundCodecs.end(), name);
  if (place == kSoundCodecs.end()) return std::nullopt;
  return static_cast<SoundCodec>(place - kSoundCodecs.begin());
}

const SoundFormat& sound_format(SoundCodec codec) {
  return kSoundFormats[static_cast<std::size_t>(codec)];
}

std::uint64_t EncodePlan::audio_samples() const {
  return (frames * kAudioRate * rate.denominator + rate.numerator / 2) / rate.numerator;
}

EncodePlan plan_encode(const SourceFacts& facts, const std::string& language) {
  EncodePlan plan;
  plan.video_stream = facts.video.stream;
  plan.deinterlace = facts.video.interlaced ? Deinterlace::flagged : Deinterlace::none;
  plan.tone_map = facts.video.high_dynamic_range;
  plan.rate = facts.video.rate;
  plan.group_frames = static_cast<std::uint32_t>(std::lround(kGroupSeconds * plan.rate.value()));
  const double video_s = facts.video_end_s - facts.start_s, audio_s = facts.audio_end_s - facts.start_s;
  const bool audio_is_longer = audio_s > video_s + kAudioOverhang_s;
  plan.still_s = audio_is_longer ? audio_s - video_s : 0;
  plan.frames = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::llround((video_s + plan.still_s) * plan.rate.value())));
  if (is_seekable(facts.format)) {
    const std::uint64_t groups = plan.frames / plan.group_frames + 1;
    plan.chunk_frames = std::clamp(groups / kParts, kPartGroupsMin, kPartGroupsMax) * plan.group_frames;
  }
  plan.rungs = ladder(facts.video.width, facts.video.height, plan.rate.value());
  plan.audio = audio_outputs(facts.audio, language);
  return plan;
}

void apply_crop(EncodePlan& plan, const SourceFacts& facts, const CropFrame& frame) {
  const VideoSource& video = facts.video;
  // 64 bits: the numbers come from a report.
  const bool fits = std::uint64_t{frame.x} + frame.width <= video.pixel_columns &&
                    std::uint64_t{frame.y} + frame.height <= video.pixel_rows;
  if (!fits || frame.width < kCropSideMin || frame.height < kCropSideMin) return;
  const auto shown = [](std::uint32_t part, std::uint32_t all, std::uint32_t all_shown) {
    return static_cast<std::uint32_t>(std::lround(static_cast<double>(part) * all_shown / all));
  };
  plan.crop = frame;
  plan.rungs = ladder(shown(frame.width, video.pixel_columns, video.width),
                      shown(frame.height, video.pixel_rows, video.height), plan.rate.value());
}

std::vector<EncodePart> encode_parts(const EncodePlan& plan) {
  // The last part may be longer by a third, rather than be followed by a short one.
  const std::uint64_t rest = plan.chunk_frames / 3;
  std::vector<EncodePart> parts;
  for (std::uint64_t first = 0; first < plan.frames; first += parts.back().frames) {
    const std::uint64_t left = plan.frames - first;
    const bool is_last = plan.chunk_frames == 0 || left <= plan.chunk_frames + rest;
    std::string number = std::to_string(parts.size());
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
    parts.push_back({"video-" + number, std::nullopt, first, is_last ? left : plan.chunk_frames});
  }
  for (std::size_t i = 0; i < plan.audio.size(); ++i) {
    parts.push_back({flat(plan.audio[i].track_id), i, 0, plan.frames});
  }
  return parts;
}

std::vector<std::string> part_files(const EncodePlan& plan, const EncodePart& part) {
  if (part.audio) return {track_file(plan.audio[*part.audio].track_id)};
  std::vector<std::string> files;
  for (const Rung& rung : plan.rungs) files.push_back(track_file(rung.track_id));
  return files;
}

std::string track_file(const std::string& track_id) {
  return flat(track_id) + ".mp4";
}
std::string track_index_file(const std::string& track_id) {
  return flat(track_id) + ".idx";
}

}  // namespace reelway::origin
