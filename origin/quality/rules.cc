#include "origin/quality/rules.h"

#include <charconv>
#include <cmath>
#include <deque>
#include <vector>

#include <spdlog/fmt/fmt.h>

namespace reelway::origin {
namespace {

using enum Severity;

constexpr double kDay_s = 86'400;
constexpr std::string_view kSeconds = "s";
constexpr RuleNumber kNone{};

constexpr RuleNumber seconds_from(double value, std::string_view help) {
  return {value, 0, kDay_s, help};
}
constexpr RuleNumber block_from(double value, std::string_view help) {
  return {value, 0, kDay_s, help};
}

constexpr auto kRuleInfos = std::to_array<RuleInfo>({
    {Rule::decode_error,
     "decode_error",
     "errors",
     block,
     {0, 0, 1e6, "How many decoding errors a place may have."},
     kNone,
     kNone,
     kNone,
     "Pictures or sound that cannot be decoded.",
     "Ask for the file again and compare its checksum with the sender's; if it is the same, the fault was made when it "
     "was exported."},
    {Rule::black,
     "black",
     kSeconds,
     warn,
     {98, 1, 100, "Which part of the picture must be black, in percent."},
     kNone,
     seconds_from(2, "The shortest black that is reported, in seconds."),
     block_from(60, "From how many seconds on black blocks; 0 for never."),
     "Stretches without a picture.",
     "Watch the place. If it is meant (a fade, a gap before the credits), waive it; if not, have the film exported "
     "again."},
    {Rule::freeze,
     "freeze",
     kSeconds,
     warn,
     {-60, -120, -10, "How little a picture differs from the one before to count as the same, in dB."},
     kNone,
     seconds_from(2, "The shortest still picture that is reported, in seconds. Black is not counted."),
     block_from(120, "From how many seconds on a still picture blocks; 0 for never."),
     "A picture that stands still, outside of black.",
     "Watch the place. Title cards stand still on purpose and can be waived; a picture stuck in a moving scene is a "
     "fault of the export."},
    {Rule::silence,
     "silence",
     kSeconds,
     warn,
     {-60, -120, -10, "Which peak, in dBFS, still counts as silence."},
     kNone,
     seconds_from(2, "The shortest silence that is reported, in seconds."),
     block_from(120, "From how many seconds on silence blocks; 0 for never."),
     "Stretches in which every channel of a track is silent.",
     "Listen to the place. Films are seldom fully silent, even between scenes: look for a dropped clip in the mix."},
    {Rule::loudness,
     "loudness",
     "LUFS",
     warn,
     {-14, -70, 0, "The loudest that a whole film may be (EBU R 128, integrated), in LUFS."},
     {-31, -70, 0, "The softest that a whole film may be, in LUFS."},
     kNone,
     kNone,
     "Loudness of a whole track.",
     "Nothing, if the transcode levels loudness: it brings the film to the set target. Else ask for a mix at the level "
     "of your delivery rules."},
    {Rule::loud_section,
     "loud_section",
     "LUFS",
     warn,
     {-6, -40, 10, "The loudest that a moment (0.4 s, EBU R 128 momentary) may be, in LUFS."},
     {18, 3, 60, "By how much, in LU, a moment may be louder than the median of the film's moments."},
     seconds_from(0.5, "The shortest loud stretch that is reported, in seconds."),
     kNone,
     "Stretches far louder than a film should ever be.",
     "Listen to the place at low volume. A section that was mixed in at the wrong level must be mixed again."},
    {Rule::loudness_range,
     "loudness_range",
     "LU",
     info,
     {20, 1, 60, "The greatest range between soft and loud (EBU R 128 LRA), in LU."},
     kNone,
     kNone,
     kNone,
     "A range between soft and loud that living rooms cannot play.",
     "Ask for a mix made for the home; a cinema mix has soft dialogue and loud effects."},
    {Rule::true_peak,
     "true_peak",
     "dBTP",
     warn,
     {-1, -20, 10, "The highest true peak, in dBTP."},
     kNone,
     kNone,
     kNone,
     "Peaks that distort when sound is encoded.",
     "Ask for a mix that is limited to -1 dBTP or lower."},
    {Rule::phase,
     "phase",
     "",
     warn,
     {-0.5, -1, 0.5, "The lowest phase correlation of left and right: 1 is mono, 0 unrelated, -1 cancels out in mono."},
     kNone,
     seconds_from(3, "The shortest stretch out of phase that is reported, in seconds."),
     block_from(600, "From how many seconds on sound out of phase blocks; 0 for never."),
     "Left and right that cancel each other out on devices with one loudspeaker.",
     "Have the polarity of one channel turned round; the sound vanishes on phones and on television sets in mono."},
    {Rule::swapped_channels,
     "swapped_channels",
     kSeconds,
     warn,
     {0.7, 0.3, 1, "How much two tracks must agree, mirrored, from 0 to 1."},
     kNone,
     seconds_from(3, "The shortest swapped stretch that is reported, in seconds of sound off the middle."),
     kNone,
     "Channels in the wrong place: left and right against another track of the film, or the bass channel of surround "
     "sound.",
     "Ask which track is right and have the channels of the other one put in order: L R C LFE Ls Rs."},
    {Rule::missing_channel,
     "missing_channel",
     "dBFS",
     warn,
     {-80, -140, -30, "Which peak, in dBFS, a channel must exceed to count as present."},
     kNone,
     seconds_from(10, "The shortest lack of one side that is reported, in seconds."),
     kNone,
     "Channels without sound while others have some.",
     "Compare with the mix: a channel was not routed into the export. If the film is mono, ask for a mono track or the "
     "same sound on both sides."},
    {Rule::interlaced,
     "interlaced",
     "of pictures",
     warn,
     {0.15, 0.01, 1, "Which part of the pictures may be interlaced, from 0 to 1."},
     kNone,
     kNone,
     kNone,
     "Pictures made of two fields of different moments.",
     "Ask for a progressive master. Without one the transcode deinterlaces, which costs sharpness."},
    {Rule::telecine,
     "telecine",
     "of pictures",
     warn,
     {0.25, 0.05, 1, "Which part of the pictures may repeat a field, from 0 to 1."},
     kNone,
     kNone,
     kNone,
     "Film at 24 pictures a second stretched to 30 by repeated fields.",
     "Ask for the master at 23.976 or 24 pictures a second. Without it the transcode puts fields back into their "
     "pictures, so there are no combs, but motion still stutters."},
    {Rule::crop,
     "crop",
     "percent",
     info,
     {1, 0.1, 50, "Bars of how many percent of the height or width are reported."},
     kNone,
     kNone,
     kNone,
     "Black bars that are part of the picture.",
     "Nothing: the transcode cuts them off by the frame given here (transcode.crop). Waive it if the bars are meant: "
     "with quality.crop.severity at block the film waits for that."},
    {Rule::vfr,
     "vfr",
     "of pictures",
     warn,
     {0.01, 0, 1, "Which part of the pictures may stand longer or shorter than the usual time, from 0 to 1."},
     kNone,
     kNone,
     kNone,
     "Pictures that do not come at a constant rate.",
     "Nothing, if it is a recording of a screen or a phone: the transcode makes the rate constant. In a film look for "
     "lost pictures at the times given."},
    {Rule::key_frames, "key_frames", kSeconds, warn, kNone, kNone,
     seconds_from(12, "The longest time between two key frames, in seconds."), kNone,
     "Key frames that are missing or far apart: the film cannot be sought or cut into pieces for transcoding.",
     "Ask for an export with a key frame at least every 10 seconds; a file whose beginning is not a key frame was cut "
     "without re-encoding."},
    {Rule::av_length, "av_length", kSeconds, warn, kNone, kNone,
     seconds_from(0.5, "By how many seconds picture and sound may differ in length."),
     block_from(10, "From how many seconds on the difference blocks; 0 for never."),
     "Sound that ends earlier or later than the picture.",
     "Watch the end: a film whose sound is longer often has sound from another cut."},
    {Rule::av_offset, "av_offset", kSeconds, warn, kNone, kNone,
     seconds_from(0.1, "By how many seconds sound may begin, or be, apart from the picture."), kNone,
     "Sound that is early or late: by the container's times, against another track, or against sharp events in the "
     "picture.",
     "Watch a place where lips move or something is struck. Have the track shifted by the time given."},
    {Rule::language, "language", "", warn, kNone, kNone, kNone, kNone,
     "Sound and subtitles without a language, with one that does not exist, or with one that another track has too.",
     "Name the language of the track in the delivery or in the file, as ISO 639 has it; give commentaries a title."},
    {Rule::subtitle_unreadable, "subtitle_unreadable", "", block, kNone, kNone, kNone, kNone,
     "Subtitles that cannot be read, or hold nothing.", "Export the subtitles again, as WebVTT or SRT in UTF-8."},
    {Rule::subtitle_overlap, "subtitle_overlap", kSeconds, warn, kNone, kNone,
     seconds_from(0, "By how many seconds two subtitles may overlap."), kNone, "Two subtitles at one time.",
     "Let the first one end before the second begins."},
    {Rule::subtitle_gap, "subtitle_gap", kSeconds, info, kNone, kNone,
     seconds_from(0.08, "The shortest gap between two subtitles that do not touch, in seconds: about two pictures."),
     kNone, "Gaps so short that they flicker.", "Leave two pictures between subtitles, or none."},
    {Rule::subtitle_duration,
     "subtitle_duration",
     kSeconds,
     warn,
     {7, 1, 60, "The longest that a subtitle may stand, in seconds."},
     {0.833, 0, 10, "The shortest that a subtitle may stand, in seconds."},
     kNone,
     kNone,
     "Subtitles that vanish before they are read, or stay.",
     "Give it between 5/6 and 7 seconds; split or join."},
    {Rule::subtitle_speed,
     "subtitle_speed",
     "characters/s",
     warn,
     {20, 5, 60, "The most characters that may have to be read in a second; 17 suits children."},
     kNone,
     kNone,
     kNone,
     "Subtitles too long for their time.",
     "Shorten the text or let it stand longer."},
    {Rule::subtitle_line_length,
     "subtitle_line_length",
     "characters",
     warn,
     {42, 10, 200, "The most characters of a line; one of Chinese, Japanese or Korean counts for two and a half."},
     kNone,
     kNone,
     kNone,
     "Lines that do not fit on a screen.",
     "Break the line at a pause in the sentence, or shorten it."},
    {Rule::subtitle_lines,
     "subtitle_lines",
     "lines",
     warn,
     {2, 1, 10, "The most lines of a subtitle."},
     kNone,
     kNone,
     kNone,
     "Subtitles that hide the picture.",
     "Split the subtitle in two."},
    {Rule::subtitle_cut, "subtitle_cut", kSeconds, info, kNone, kNone,
     seconds_from(0.5, "How near to a cut, in seconds, a subtitle that stands across it may begin or end."), kNone,
     "Subtitles that hang over a cut by a moment, which makes the eye read them twice.",
     "Let the subtitle begin or end with the cut."},
    {Rule::subtitle_markup, "subtitle_markup", "", warn, kNone, kNone, kNone, kNone,
     "Tags that are opened and not closed, and marks that players show as they are.",
     "Mend the tags; put <i> in place of asterisks."},
    {Rule::subtitle_end, "subtitle_end", kSeconds, warn, kNone, kNone,
     seconds_from(0, "By how many seconds a subtitle may outlast the film."), kNone,
     "Subtitles after the end of the film: they belong to another cut.",
     "Ask for the subtitles of this cut of the film."},
});

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRuleInfos.size(); ++i) {
    if (static_cast<std::size_t>(kRuleInfos[i].rule) != i) return false;
  }
  return kRuleInfos.size() == kRules;
}
static_assert(in_order(), "kRuleInfos must list every Rule in the enum's order");

constexpr std::array<std::string_view, 4> kSeverities{"off", "info", "warn", "block"};

struct NamedNumber {
  std::string_view name;
  RuleNumber RuleInfo::*number;
  double RuleSetting::*setting;
};
constexpr std::array<NamedNumber, 4> kNumbers{{{"limit", &RuleInfo::limit, &RuleSetting::limit},
                                               {"low", &RuleInfo::low, &RuleSetting::low},
                                               {"seconds", &RuleInfo::seconds, &RuleSetting::seconds},
                                               {"block_from", &RuleInfo::block_from, &RuleSetting::block_from}}};

std::string key_of(const RuleInfo& rule, std::string_view name) {
  return fmt::format("quality.{}.{}", rule.name, name);
}

// Options hold views: the texts that are put together here live as long as the program.
class OptionTable {
 public:
  OptionTable() {
    for (const RuleInfo& rule : kRuleInfos) {
      add(rule, "severity", std::string(name_of(rule.severity)),
          fmt::format("{} off, info, warn or block; block holds publishing until a person waives the finding.",
                      rule.checks));
      for (const NamedNumber& named : kNumbers) {
        const RuleNumber& number = rule.*named.number;
        if (number.help.empty()) continue;
        add(rule, named.name, fmt::format("{}", number.value),
            fmt::format("{} A number from {} to {}.", number.help, number.min, number.max));
      }
    }
  }
  std::span<const config::Option> options() const { return options_; }

 private:
  void add(const RuleInfo& rule, std::string_view name, std::string value, std::string help) {
    options_.push_back(
        {kept(key_of(rule, name)), config::Kind::text, kept(std::move(value)), false, 0, 0, kept(std::move(help))});
  }
  std::string_view kept(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::deque<std::string> texts_;
  std::vector<config::Option> options_;
};

Result<double> number_of(const config::Settings& settings, const std::string& key, const RuleNumber& number) {
  const std::string& text = settings.text(key);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size() && value >= number.min && value <= number.max) {
    return value;
  }
  return Error{ErrorCode::config_value_invalid, Side::self, false,
               fmt::format("{}: expected a number from {} to {}, found: {}", key, number.min, number.max, text)};
}

}  // namespace

std::string_view name_of(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> severity_of(std::string_view name) {
  for (std::size_t i = 0; i < kSeverities.size(); ++i) {
    if (kSeverities[i] == name) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

const RuleInfo& rule_info(Rule rule) {
  return kRuleInfos[static_cast<std::size_t>(rule)];
}

std::span<const RuleInfo> rule_table() {
  return kRuleInfos;
}

std::optional<Rule> rule_of(std::string_view name) {
  for (const RuleInfo& info : kRuleInfos) {
    if (info.name == name) return info.rule;
  }
  return std::nullopt;
}

QualityRules::QualityRules() {
  for (const RuleInfo& info : kRuleInfos) {
    RuleSetting& setting = (*this)[info.rule];
    setting.severity = info.severity;
    for (const NamedNumber& named : kNumbers) setting.*named.setting = (info.*named.number).value;
  }
}

std::span<const config::Option> quality_options() {
  static const OptionTable table;
  return table.options();
}

Result<QualityRules> quality_rules(const config::Settings& settings) {
  QualityRules rules;
  for (const RuleInfo& info : kRuleInfos) {
    RuleSetting& setting = rules[info.rule];
    const std::string& name = settings.text(key_of(info, "severity"));
    const std::optional<Severity> severity = severity_of(name);
    if (!severity) {
      return Error{ErrorCode::config_value_invalid, Side::self, false,
                   key_of(info, "severity") + ": expected off, info, warn or block, found: " + name};
    }
    setting.severity = *severity;
    for (const NamedNumber& named : kNumbers) {
      if ((info.*named.number).help.empty()) continue;
      const Result<double> value = number_of(settings, key_of(info, named.name), info.*named.number);
      if (!value.ok()) return value.error();
      setting.*named.setting = *value;
    }
  }
  return rules;
}

}  // namespace reelway::origin
