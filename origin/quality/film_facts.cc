#include "origin/quality/film_facts.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace reelway::origin {
namespace {

constexpr std::size_t kMessageBytesMax = 200;

float finite_db(std::optional<double> value) {
  if (!value || std::isnan(*value) || *value < kNoSound_db) return kNoSound_db;
  return static_cast<float>(std::min(*value, 200.0));
}

float decibels(double factor) {
  return factor > 0 ? finite_db(20 * std::log10(factor)) : kNoSound_db;
}

int pixel(const FrameRecord& record, std::string_view name) {
  return static_cast<int>(std::clamp(record.value(name).value_or(0), -1e5, 1e5));
}

double in_film(double seconds) {
  return std::isfinite(seconds) ? std::clamp(seconds, -1e6, 1e6) : 0;
}

// Measures are of all that came so far. The last, short frame of a track has none.
void add_measure(const FrameRecord& record, std::optional<SoundMeasure>& measure) {
  if (!measure) measure.emplace();
  if (const auto loudness = record.value("r128.I"))
    measure->integrated_lufs = std::max<double>(finite_db(loudness), -70);
  const double peak_db = decibels(record.value("r128.true_peak").value_or(0));
  measure->true_peak_dbtp = std::max(measure->true_peak_dbtp, peak_db);
}

float highest(const std::vector<ChannelFacts>& channels, std::vector<float> ChannelFacts::*values, std::size_t frame) {
  float value = kNoSound_db;
  for (const ChannelFacts& channel : channels) value = std::max(value, (channel.*values)[frame]);
  return value;
}

void keep(std::vector<Span>& spans, double from_s, double to_s) {
  if (to_s > from_s && spans.size() < kSpansMax) spans.push_back({from_s, to_s});
}

// About the outputs that we throw away, not about the film.
bool is_about_output(const ToolMessage& message) {
  return message.context == "null" || message.context == "srt" ||
         message.text.find("dts to muxer") != std::string_view::npos;
}

bool is_audio_codec(std::string_view context) {
  constexpr std::string_view kCodecs[] = {"aac", "ac3",    "eac3", "mp3", "mp3float", "flac", "opus",      "vorbis",
                                          "dca", "truehd", "alac", "mp2", "mp2float", "pcm",  "ac3_fixed", "wmav2"};
  return std::any_of(std::begin(kCodecs), std::end(kCodecs), [&](std::string_view codec) {
    return context == codec || (codec == "pcm" && context.starts_with("pcm_"));
  });
}

}  // namespace

float SoundFacts::peak_db(std::size_t frame) const {
  return highest(channels, &ChannelFacts::peak_db, frame);
}
float SoundFacts::rms_db(std::size_t frame) const {
  return highest(channels, &ChannelFacts::rms_db, frame);
}

void FilmFacts::add(const FrameRecord& record) {
  if (!std::isfinite(record.time_s)) return;
  if (record.branch == kPictureBranch) return add_picture(record);
  if (record.branch == kFieldsBranch) return add_fields(record);
  if (record.branch == kCropBranch) return add_crop(record);
  int stream = -1;
  const std::string& branch = record.branch;
  if (branch.empty()) return;
  std::from_chars(branch.data() + 1, branch.data() + branch.size(), stream);
  if (stream < 0 || stream >= 64) return;
  if (branch.starts_with(kSoundBranch)) return add_sound(stream, record);
  const auto sound = sounds_.find(stream);
  if (sound == sounds_.end()) return;  // the mix is ahead of its track: what it says comes again
  if (branch.starts_with(kStereoMixBranch)) add_measure(record, sound->second.stereo_mix);
  if (branch.starts_with(kSurroundMixBranch)) add_measure(record, sound->second.surround_mix);
}

void FilmFacts::add_picture(const FrameRecord& record) {
  const double time_s = in_film(record.time_s);
  if (picture_.pictures++ == 0) picture_.first_s = time_s;
  picture_.last_s = std::max(picture_.last_s, time_s);
  if (const auto from_s = record.value("black_start")) open_black_ = in_film(*from_s);
  if (const auto to_s = record.value("black_end"); to_s && open_black_) {
    keep(picture_.black, *open_black_, in_film(*to_s));
    open_black_.reset();
  }
  add_still(record);
  if (picture_.changes.size() < kPicturesMax) {
    picture_.times.push_back(static_cast<float>(time_s));
    const double change = record.value("scd.mafd").value_or(0);
    picture_.changes.push_back(std::isfinite(change) ? static_cast<float>(std::clamp(change, 0.0, 100.0)) : 0);
  }
  if (record.value("scd.time") && picture_.pictures > 1 && picture_.cuts.size() < kSpansMax) {
    picture_.cuts.push_back(time_s);
  }
}

// A still picture is known only after it has stood for a while. Its end may come with its own beginning, when it is
// just so long, or with the beginning of the next.
void FilmFacts::add_still(const FrameRecord& record) {
  const auto from_s = record.value("freezedetect.freeze_start"), to_s = record.value("freezedetect.freeze_end");
  const auto open = [&] {
    if (from_s) open_still_ = still_since(in_film(*from_s));
  };
  const bool is_its_own_end = from_s && to_s && *from_s < *to_s;
  if (is_its_own_end) open();
  if (to_s && open_still_) {
    keep(picture_.frozen, *open_still_, in_film(*to_s));
    open_still_.reset();
  }
  if (!is_its_own_end) open();
}

// Encoders mend a still picture for some frames after it has come to a stand, which freezedetect takes for movement.
// The still begins with the first picture that changes by much less than those of the second before.
double FilmFacts::still_since(double from_s) const {
  constexpr double kMended_s = 1.5, kCompared_s = 3, kPart = 0.25;
  std::vector<float> before;
  const auto at = [&](double time_s) {
    return static_cast<std::size_t>(std::lower_bound(picture_.times.begin(), picture_.times.end(), time_s) -
                                    picture_.times.begin());
  };
  const std::size_t compared = at(from_s - kCompared_s), mended = at(from_s - kMended_s);
  for (std::size_t i = compared; i < mended; ++i) before.push_back(picture_.changes[i]);
  if (before.empty()) return from_s;
  std::nth_element(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(before.size() / 2), before.end());
  const float little = static_cast<float>(kPart) * before[before.size() / 2];
  std::size_t first = at(from_s - 1e-3);
  while (first > mended && picture_.changes[first] < little) --first;
  return std::min<double>(from_s, picture_.times[first]);
}

void FilmFacts::add_fields(const FrameRecord& record) {
  if (picture_.fields.size() >= kSpansMax * 4) return;
  const auto count = [&](std::string_view name) { return std::max(0.0, in_film(record.value(name).value_or(0))); };
  FieldCount counted;
  counted.at_s = in_film(record.time_s);
  counted.interlaced = count("idet.multiple.tff") + count("idet.multiple.bff");
  counted.progressive = count("idet.multiple.progressive");
  counted.repeated = count("idet.repeated.top") + count("idet.repeated.bottom");
  counted.all = counted.repeated + count("idet.repeated.neither");
  picture_.fields.push_back(counted);
}

void FilmFacts::add_crop(const FrameRecord& record) {
  if (picture_.crops.size() >= kSpansMax * 4 || !record.value("cropdetect.x1")) return;
  picture_.crops.push_back({in_film(record.time_s), pixel(record, "cropdetect.x1"), pixel(record, "cropdetect.x2"),
                            pixel(record, "cropdetect.y1"), pixel(record, "cropdetect.y2")});
}

void FilmFacts::add_sound(int stream, const FrameRecord& record) {
  SoundFacts& sound = sounds_[stream];
  sound.stream = stream;
  if (sound.frames() >= kSoundFramesMax) return;
  sound.times.push_back(in_film(record.time_s));
  sound.momentary.push_back(finite_db(record.value("r128.M")));
  sound.phase.push_back(static_cast<float>(std::clamp(record.value("aphasemeter.phase").value_or(1), -1.0, 1.0)));
  for (int channel = 0; channel < kChannelsMax; ++channel) {
    const std::string prefix = fmt::format("astats.{}.", channel + 1);
    const auto peak = record.value(prefix + "Peak_level");
    if (!peak && static_cast<std::size_t>(channel) >= sound.channels.size()) break;
    if (static_cast<std::size_t>(channel) >= sound.channels.size()) {
      // It was not there before: so far it was silent.
      ChannelFacts& fresh = sound.channels.emplace_back();
      fresh.peak_db.assign(sound.frames() - 1, kNoSound_db);
      fresh.rms_db = fresh.peak_db;
      fresh.crossings.assign(sound.frames() - 1, 0);
    }
    ChannelFacts& facts = sound.channels[static_cast<std::size_t>(channel)];
    facts.peak_db.push_back(finite_db(peak));
    facts.rms_db.push_back(finite_db(record.value(prefix + "RMS_level")));
    const double crossings = record.value(prefix + "Zero_crossings_rate").value_or(0);
    facts.crossings.push_back(static_cast<float>(std::isfinite(crossings) ? std::clamp(crossings, 0.0, 1.0) : 0));
  }
  // These are of all that came so far. The last, short frame of a track has none.
  if (const auto loudness = record.value("r128.I")) sound.integrated_lufs = std::max<double>(finite_db(loudness), -70);
  if (const auto range = record.value("r128.LRA")) sound.range_lu = std::max<double>(finite_db(range), 0);
  const double peak_db = decibels(record.value("r128.true_peak").value_or(0));
  if (peak_db > sound.true_peak_dbtp) {
    sound.true_peak_dbtp = peak_db;
    sound.peak_rises.emplace_back(sound.times.back(), peak_db);
  }
}

void FilmFacts::add_message(std::string_view line) {
  const ToolMessage message = parse_message(line);
  if (is_about_output(message)) return;
  // What libraries say is told once more, in general words, by the program: "Error while decoding stream".
  if (message.context.empty() && message.text.find("Last message repeated") != std::string_view::npos) return;
  ++fault_count_;
  if (faults_.size() >= kFaultsMax) return;
  DecodeFault fault;
  fault.at_s = reached_s();
  fault.is_video = !is_audio_codec(message.context);
  fault.stream = message.stream.value_or(-1);
  fault.message = std::string(message.text.substr(0, kMessageBytesMax));
  faults_.push_back(std::move(fault));
}

void FilmFacts::finish() {
  if (open_black_) keep(picture_.black, *open_black_, picture_.last_s);
  if (open_still_) keep(picture_.frozen, *open_still_, picture_.last_s);
  open_black_.reset();
  open_still_.reset();
}

}  // namespace reelway::origin
