#include "origin/transcode/sound_options.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>

namespace reelway::origin {
namespace {

using config::Kind;

constexpr double kTargetMin_lufs = -40, kTargetMax_lufs = -10;
constexpr double kCeilingMin_dbtp = -20, kCeilingMax_dbtp = 0;

// Roku recommends E-AC-3 for 5.1, and all of Apple's devices that are still sold decode it. -24 is what ATSC A/85 asks
// of programmes and is within 1 LU of EBU R 128 (-23). Services that ask for -27 measure dialogue alone, which in a
// film lies a few LU below the whole; the whole is what is measured here. They agree on -2 dBTP, which leaves room for
// what a lossy codec adds to a peak.
constexpr std::array kOptions = {
    config::Option{
        "transcode.loudness", Kind::text, "-24", false, 0, 0,
        "The loudness that every audio track is brought to, in LUFS (EBU R 128, integrated), from -40 to -10; or off. "
        "A track gets one gain, from -30 to 20 dB, and no compression: one with high peaks may stay softer."},
    config::Option{"transcode.peak_ceiling", Kind::text, "-2", false, 0, 0,
                   "The highest true peak that a gain or a mix may make, in dBTP, from -20 to 0."},
    config::Option{
        "transcode.surround", Kind::text, "eac3", false, 0, 0,
        "eac3, ac3 or off: the codec of the 5.1 track that a language gets besides its stereo one when the source has "
        "surround sound. ac3 is for old receivers that know nothing newer."},
};

Result<double> number_of(const config::Settings& settings, std::string_view key, double min, double max,
                         std::string_view or_else) {
  const std::string& text = settings.text(key);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size() && value >= min && value <= max) return value;
  return Error{ErrorCode::config_value_invalid, Side::self, false,
               fmt::format("{}: expected a number from {} to {}{}, found: {}", key, min, max, or_else, text)};
}

}  // namespace

std::span<const config::Option> sound_options() {
  return kOptions;
}

Result<SoundOptions> sound_options(const config::Settings& settings) {
  SoundOptions options;
  options.loudness.target_lufs.reset();
  if (settings.text("transcode.loudness") != "off") {
    const Result<double> target =
        number_of(settings, "transcode.loudness", kTargetMin_lufs, kTargetMax_lufs, " or off");
    if (!target.ok()) return target.error();
    options.loudness.target_lufs = *target;
  }
  const Result<double> ceiling = number_of(settings, "transcode.peak_ceiling", kCeilingMin_dbtp, kCeilingMax_dbtp, "");
  if (!ceiling.ok()) return ceiling.error();
  options.loudness.peak_ceiling_dbtp = *ceiling;
  const std::string& surround = settings.text("transcode.surround");
  options.surround = sound_codec_of(surround);
  if (surround != "off" && (!options.surround || options.surround == SoundCodec::aac)) {
    return Error{ErrorCode::config_value_invalid, Side::self, false,
                 "transcode.surround: expected eac3, ac3 or off, found: " + surround};
  }
  return options;
}

}  // namespace reelway::origin
