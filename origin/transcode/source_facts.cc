#include "origin/transcode/source_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "origin/mp4/language.h"
#include "origin/transcode/channel_mix.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr double kRateMax = 60.5;
constexpr double kRateMin = 5;
constexpr std::uint32_t kSideMax = 16384;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

std::string text(const Json& object, const char* name) {
  const auto place = object.find(name);
  return place != object.end() && place->is_string() ? place->get<std::string>() : std::string();
}

// ffprobe writes most numbers as text.
double number(const Json& object, const char* name) {
  const auto place = object.find(name);
  if (place == object.end()) return 0;
  if (place->is_number()) return place->get<double>();
  double value = 0;
  const std::string digits = text(object, name);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return std::isfinite(value) ? value : 0;
}

const Json& child(const Json& object, const char* name) {
  static const Json nothing = Json::object();
  const auto place = object.find(name);
  return place != object.end() && place->is_object() ? *place : nothing;
}

// "30000/1001" or "16:9"; zero where it is neither.
FrameRate ratio(std::string_view given, char separator) {
  FrameRate parsed{0, 1};
  const std::size_t cut = given.find(separator);
  if (cut == std::string_view::npos) return parsed;
  std::uint32_t below = 0;
  std::from_chars(given.data(), given.data() + cut, parsed.numerator);
  std::from_chars(given.data() + cut + 1, given.data() + given.size(), below);
  if (below == 0) return {0, 1};
  parsed.denominator = below;
  return parsed;
}

constexpr auto kUsualRates = std::to_array<FrameRate>(
    {{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1}});

FrameRate rate_of(const Json& stream) {
  double rate = ratio(text(stream, "avg_frame_rate"), '/').value();
  if (rate <= 0) rate = ratio(text(stream, "r_frame_rate"), '/').value();
  if (rate <= 0) rate = 25;
  while (rate > kRateMax) rate /= 2;
  rate = std::max(rate, kRateMin);
  for (const FrameRate& usual : kUsualRates) {
    if (std::abs(rate / usual.value() - 1) < 0.0005) return usual;
  }
  const auto thousandths = static_cast<std::uint32_t>(std::lround(rate * 1000));
  const std::uint32_t shared = std::gcd(thousandths, 1000u);
  return {thousandths / shared, 1000 / shared};
}

double end_of(const Json& stream) {
  const double duration_s = number(stream, "duration");
  return duration_s > 0 ? number(stream, "start_time") + duration_s : 0;
}

bool is_turned(const Json& stream) {
  const auto list = stream.find("side_data_list");
  if (list == stream.end() || !list->is_array()) return false;
  for (const Json& data : *list) {
    if (data.is_object() && std::llround(std::abs(number(data, "rotation"))) % 180 == 90) return true;
  }
  return false;
}

Result<VideoSource> video_of(const Json& stream) {
  VideoSource video;
  video.stream = static_cast<int>(number(stream, "index"));
  const double width = number(stream, "width"), height = number(stream, "height");
  const std::string codec = text(stream, "codec_name"), tag = text(stream, "codec_tag_string");
  if (codec.empty() || codec == "unknown" || codec == "none" || tag == "encv") {
    return refuse(ErrorCode::media_unsupported,
                  "the video is " + (tag == "encv" ? "encrypted" : "of codec '" + tag + "'"));
  }
  if ((width == 0 || height == 0) && end_of(stream) <= 0) {
    return refuse(ErrorCode::media_zero_duration, "the video track holds no picture");
  }
  if (width < 16 || height < 16 || width > kSideMax || height > kSideMax) {
    return refuse(ErrorCode::media_unsupported, "the video is " + std::to_string(static_cast<int>(width)) + "x" +
                                                    std::to_string(static_cast<int>(height)));
  }
  const double pixel_aspect = ratio(text(stream, "sample_aspect_ratio"), ':').value();
  const bool plausible = pixel_aspect > 0.2 && pixel_aspect < 5;
  video.width = static_cast<std::uint32_t>(std::lround(width * (plausible ? pixel_aspect : 1)));
  video.height = static_cast<std::uint32_t>(height);
  video.pixel_columns = static_cast<std::uint32_t>(width);
  video.pixel_rows = static_cast<std::uint32_t>(height);
  if (is_turned(stream)) {
    std::swap(video.width, video.height);
    std::swap(video.pixel_columns, video.pixel_rows);
  }
  video.rate = rate_of(stream);
  const std::string order = text(stream, "field_order");
  video.interlaced = order == "tt" || order == "bb" || order == "tb" || order == "bt";
  const std::string transfer = text(stream, "color_transfer");
  video.high_dynamic_range = transfer == "smpte2084" || transfer == "arib-std-b67";
  video.stated_end_s = end_of(stream);
  return video;
}

// ISO 639-2 has two codes for twenty languages. Matroska and MPEG-TS use the bibliographic one, MP4 and the tables of
// origin/mp4 the terminological one.
std::string terminological(const std::string& code) {
  constexpr std::string_view kPairs =
      "alb sqi arm hye baq eus bur mya chi zho cze ces dut nld fre fra geo kat ger deu gre ell ice isl mac mkd mao mri "
      "may msa per fas rum ron slo slk tib bod wel cym ";
  constexpr std::size_t kPair = 8;
  for (std::size_t pair = 0; pair < kPairs.size(); pair += kPair) {
    if (kPairs.substr(pair, 3) == code) return std::string(kPairs.substr(pair + 4, 3));
  }
  return code;
}

AudioSource audio_of(const Json& stream) {
  AudioSource audio;
  audio.stream = static_cast<int>(number(stream, "index"));
  const Json& tags = child(stream, "tags");
  const std::string code = text(tags, "language");
  if (code.size() == 2 || code.size() == 3) {
    const std::string tag = mp4::language_tag(mp4::packed_language(terminological(code)));
    if (tag != "und") audio.language = tag;
  }
  audio.title = text(tags, "title");
  const Json& disposition = child(stream, "disposition");
  audio.is_default = number(disposition, "default") == 1;
  for (const char* aside : {"comment", "visual_impaired", "hearing_impaired", "karaoke", "clean_effects"}) {
    audio.is_aside = audio.is_aside || number(disposition, aside) == 1;
  }
  audio.stated_end_s = end_of(stream);
  audio.layout = known_layout(text(stream, "channel_layout"), static_cast<int>(number(stream, "channels")));
  audio.channels = static_cast<std::uint32_t>(std::clamp(number(stream, "channels"), 0.0, 255.0));
  return audio;
}

bool is_decodable(const Json& stream) {
  const std::string codec = text(stream, "codec_name");
  return !codec.empty() && codec != "unknown" && codec != "none" && text(stream, "codec_tag_string") != "enca";
}

// FFmpeg's first message without the part's name and address, and without the path, which is the server's business.
std::string first_message(std::string_view errors) {
  std::string_view line = errors.substr(0, errors.find('\n'));
  if (line.starts_with('[') && line.find("] ") != std::string_view::npos) line.remove_prefix(line.find("] ") + 2);
  if (line.starts_with("file:") && line.find(": ") != std::string_view::npos) line.remove_prefix(line.find(": ") + 2);
  return std::string(line);
}

}  // namespace

Result<SourceFacts> source_facts(std::string_view json, SourceKind kind) {
  const Json whole = Json::parse(json, nullptr, false);
  const auto streams = whole.is_object() ? whole.find("streams") : whole.end();
  if (!whole.is_object() || streams == whole.end() || !streams->is_array()) {
    return refuse(ErrorCode::media_unreadable, "ffprobe named no streams");
  }
  const Json& format = child(whole, "format");
  SourceFacts facts;
  facts.format = text(format, "format_name");
  facts.start_s = number(format, "start_time");
  facts.duration_s = number(format, "duration");
  const Json* video = nullptr;
  bool undecodable_audio = false;
  for (const Json& stream : *streams) {
    if (!stream.is_object()) continue;
    const std::string type = text(stream, "codec_type");
    const bool is_cover = number(child(stream, "disposition"), "attached_pic") == 1;
    if (type == "video" && !is_cover && video == nullptr) video = &stream;
    if (type != "audio") continue;
    if (is_decodable(stream))
      facts.audio.push_back(audio_of(stream));
    else
      undecodable_audio = true;
  }
  if (kind != SourceKind::sound) {
    if (video == nullptr) return refuse(ErrorCode::media_no_video, "format " + facts.format);
    Result<VideoSource> source = video_of(*video);
    if (!source.ok()) return std::move(source).error();
    facts.video = *source;
  }
  if (kind == SourceKind::picture) return facts;
  if (facts.audio.empty() && undecodable_audio) {
    return refuse(ErrorCode::media_unsupported, "the audio is encrypted or of an unknown codec");
  }
  if (facts.audio.empty()) return refuse(ErrorCode::media_no_audio, "format " + facts.format);
  return facts;
}

Error refusal(std::string_view head, std::string_view errors) {
  const auto says = [&](std::string_view what) { return errors.find(what) != std::string_view::npos; };
  const std::string detail = first_message(errors);
  const std::string_view box = head.size() >= 8 ? head.substr(4, 4) : std::string_view();
  constexpr auto kFirstBoxes = std::to_array<std::string_view>({"ftyp", "moov", "mdat", "free", "skip", "wide"});
  const bool is_mp4 = std::find(kFirstBoxes.begin(), kFirstBoxes.end(), box) != kFirstBoxes.end();
  if (is_mp4 && says("moov atom not found")) {
    return refuse(ErrorCode::media_truncated,
                  "the file begins as an MP4, but its index (moov) is missing: the end is cut off");
  }
  if (says("partial file") || says("ended prematurely")) return refuse(ErrorCode::media_truncated, detail);
  if (says("not on whitelist"))
    return refuse(ErrorCode::media_unsupported, "the file's container is not one that is accepted");
  return refuse(ErrorCode::media_unreadable, detail.empty() ? "ffprobe could not open it" : detail);
}

}  // namespace reelway::origin
