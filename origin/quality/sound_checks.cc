#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/checks.h"

namespace reelway::origin {
namespace {

constexpr double kSoftest_lufs = -40;     // a softer film is judged as if it had this loudness
constexpr std::size_t kMomentFrames = 4;  // a moment of EBU R 128 is 0.4 s long, and known at its end
constexpr float kEdge_db = 10;            // how far below its middle a loud stretch begins and ends
constexpr std::size_t kLoudGapFrames = 5;
constexpr float kAudible_db = -50;        // what is softer says nothing of phase or of a missing side
constexpr std::size_t kPhaseFrames = 10;  // phase is judged over a second
constexpr int kStereo = 2;

struct Track {
  const Measured& measured;
  const SoundFacts& sound;
  FindingList& findings;

  std::string name() const { return measured.track_name(sound.stream); }
  Span span(std::pair<std::size_t, std::size_t> run) const {
    return {sound.times[run.first], sound.times[run.second - 1] + kSoundFrame_s};
  }
  Span whole() const { return span({0, sound.frames()}); }
  bool is_whole(std::pair<std::size_t, std::size_t> run) const {
    return run.first == 0 && run.second == sound.frames();
  }
};

void check_silence(const Track& track) {
  const RuleSetting& rule = track.findings.rules()[Rule::silence];
  const auto is_silent = [&](std::size_t frame) { return track.sound.peak_db(frame) < rule.limit; };
  for (const auto& run : runs_of(track.sound.frames(), 0, is_silent)) {
    const Span span = track.span(run);
    if (span.length() < rule.seconds) continue;
    track.findings.add(Rule::silence, track.sound.stream, span, {span.length(), rule.seconds},
                       track.is_whole(run) ? fmt::format("The {} is silent from beginning to end.", track.name())
                                           : fmt::format("The {} is silent for {:.1f} s, from {} to {}.", track.name(),
                                                         span.length(), time_code(span.from_s), time_code(span.to_s)));
  }
}

void check_loudness(const Track& track) {
  const SoundFacts& sound = track.sound;
  const RuleSetting& rule = track.findings.rules()[Rule::loudness];
  if (sound.integrated_lufs <= -70) return;  // silence has no loudness, and a rule of its own
  const bool is_loud = sound.integrated_lufs > rule.limit;
  if (is_loud || sound.integrated_lufs < rule.low) {
    track.findings.add(
        Rule::loudness, sound.stream, track.whole(), {sound.integrated_lufs, is_loud ? rule.limit : rule.low, 0},
        fmt::format("The {} as a whole is too {}: {:.1f} LUFS, where {:.1f} to {:.1f} are expected.", track.name(),
                    is_loud ? "loud" : "soft", sound.integrated_lufs, rule.low, rule.limit));
  }
  const RuleSetting& range = track.findings.rules()[Rule::loudness_range];
  if (sound.range_lu > range.limit) {
    track.findings.add(Rule::loudness_range, sound.stream, track.whole(), {sound.range_lu, range.limit, 0},
                       fmt::format("Between soft and loud the {} spans {:.1f} LU: at home, whispers are lost or shots "
                                   "too loud.",
                                   track.name(), sound.range_lu));
  }
}

// A moment is measured over 0.4 s that end with its frame, so a loud stretch is seen late at both ends. Its frames' own
// levels say where it is.
std::pair<std::size_t, std::size_t> trimmed(const SoundFacts& sound, std::pair<std::size_t, std::size_t> run) {
  std::vector<float> levels;
  for (std::size_t i = run.first; i < run.second; ++i) levels.push_back(sound.rms_db(i));
  std::nth_element(levels.begin(), levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 2), levels.end());
  const float edge_db = levels[levels.size() / 2] - kEdge_db;
  std::size_t first = run.first, last = run.second - 1;
  while (first > 0 && run.first - first < kMomentFrames - 1 && sound.rms_db(first - 1) >= edge_db) --first;
  while (last > run.first && run.second - last <= kMomentFrames && sound.rms_db(last) < edge_db) --last;
  return {first, last + 1};
}

// Half of the moments with sound are softer. The loudness of the film as a whole would rise with a loud stretch.
double usual_moment(const SoundFacts& sound) {
  std::vector<float> moments;
  for (const float moment : sound.momentary) {
    if (moment > -70) moments.push_back(moment);
  }
  if (moments.empty()) return -70;
  const auto middle = moments.begin() + static_cast<std::ptrdiff_t>(moments.size() / 2);
  std::nth_element(moments.begin(), middle, moments.end());
  return *middle;
}

void check_loud_sections(const Track& track) {
  const SoundFacts& sound = track.sound;
  const RuleSetting& rule = track.findings.rules()[Rule::loud_section];
  const double usual = std::max(usual_moment(sound), kSoftest_lufs);
  const double limit = std::min(rule.limit, usual + rule.low);
  const auto is_loud = [&](std::size_t frame) { return sound.momentary[frame] > limit; };
  for (const auto& seen : runs_of(sound.frames(), kLoudGapFrames, is_loud)) {
    const auto run = trimmed(sound, seen);
    const Span span = track.span(run);
    if (span.length() < rule.seconds) continue;
    const double loudest = *std::max_element(sound.momentary.begin() + static_cast<std::ptrdiff_t>(seen.first),
                                             sound.momentary.begin() + static_cast<std::ptrdiff_t>(seen.second));
    track.findings.add(Rule::loud_section, sound.stream, span, {loudest, limit},
                       fmt::format("From {} to {} the {} reaches {:.1f} LUFS; half of the film is "
                                   "below {:.1f}.",
                                   time_code(span.from_s), time_code(span.to_s), track.name(), loudest, usual));
  }
}

void check_true_peak(const Track& track) {
  const SoundFacts& sound = track.sound;
  const RuleSetting& rule = track.findings.rules()[Rule::true_peak];
  if (sound.true_peak_dbtp <= rule.limit) return;
  Span span{track.whole().to_s, 0};
  const auto widen = [&](double from_s) {
    span.from_s = std::min(span.from_s, from_s);
    span.to_s = std::max(span.to_s, from_s + kSoundFrame_s);
  };
  for (const auto& [at_s, peak_db] : sound.peak_rises) {
    if (peak_db > rule.limit) widen(at_s);
  }
  std::size_t frames = 0;
  for (std::size_t i = 0; i < sound.frames(); ++i) {
    if (sound.peak_db(i) <= rule.limit) continue;
    widen(sound.times[i]);
    ++frames;
  }
  track.findings.add(
      Rule::true_peak, sound.stream, span, {sound.true_peak_dbtp, rule.limit, 0},
      fmt::format("The {} peaks at {:+.1f} dBTP, highest at {}; samples are over the limit in {:.1f} s of "
                  "it. Such peaks distort when they are encoded.",
                  track.name(), sound.true_peak_dbtp,
                  time_code(sound.peak_rises.empty() ? 0 : sound.peak_rises.back().first),
                  static_cast<double>(frames) * kSoundFrame_s));
}

void check_phase(const Track& track) {
  const SoundFacts& sound = track.sound;
  if (sound.channels.size() != kStereo) return;
  const RuleSetting& rule = track.findings.rules()[Rule::phase];
  // The mean of a second; frames without sound count for nothing.
  const auto mean = [&](std::size_t frame) {
    double sum = 0, count = 0;
    const std::size_t first = frame < kPhaseFrames / 2 ? 0 : frame - kPhaseFrames / 2;
    for (std::size_t i = first; i < std::min(first + kPhaseFrames, sound.frames()); ++i) {
      if (sound.peak_db(i) < kAudible_db) continue;
      sum += sound.phase[i];
      ++count;
    }
    return count > 0 ? sum / count : 1;
  };
  const auto is_out = [&](std::size_t frame) { return mean(frame) < rule.limit; };
  for (auto run : runs_of(sound.frames(), kPhaseFrames, is_out)) {
    // The mean blurs the edges: the frames themselves have them sharp.
    while (run.first + 1 < run.second && sound.phase[run.first] >= rule.limit) ++run.first;
    while (run.second > run.first + 1 && sound.phase[run.second - 1] >= rule.limit) --run.second;
    const Span span = track.span(run);
    if (span.length() < rule.seconds) continue;
    double sum = 0;
    for (std::size_t i = run.first; i < run.second; ++i) sum += sound.phase[i];
    const double measured = sum / static_cast<double>(run.second - run.first);
    track.findings.add(Rule::phase, sound.stream, span, {measured, rule.limit},
                       fmt::format("From {} to {} left and right of the {} are opposite (correlation {:.2f}): on one "
                                   "loudspeaker the sound cancels out.",
                                   time_code(span.from_s), time_code(span.to_s), track.name(), measured));
  }
}

// A side of stereo that is dead while the other one plays. Moments in which both are silent do not end it.
void check_sides(const Track& track) {
  const SoundFacts& sound = track.sound;
  const RuleSetting& rule = track.findings.rules()[Rule::missing_channel];
  for (std::size_t side = 0; side < kStereo; ++side) {
    const auto& here = sound.channels[side].peak_db;
    const auto& there = sound.channels[1 - side].peak_db;
    const auto is_dead = [&](std::size_t frame) { return here[frame] < rule.limit; };
    for (const auto& run : runs_of(sound.frames(), 0, is_dead)) {
      std::size_t first = run.second, last = run.first, alone = 0;
      for (std::size_t i = run.first; i < run.second; ++i) {
        if (there[i] < kAudible_db) continue;
        first = std::min(first, i);
        last = i;
        ++alone;
      }
      if (static_cast<double>(alone) * kSoundFrame_s < rule.seconds) continue;
      const Span span = track.span({first, last + 1});
      track.findings.add(
          Rule::missing_channel, sound.stream, span, {*std::max_element(here.begin(), here.end()), rule.limit},
          fmt::format("The {} side of the {} is dead from {} to {}, while the other one plays.",
                      side == 0 ? "left" : "right", track.name(), time_code(span.from_s), time_code(span.to_s)));
    }
  }
}

// Names of FFmpeg's usual layouts.
std::string channel_name(const std::string& layout, std::size_t channel, std::size_t channels) {
  constexpr const char* kSix[] = {"left", "right", "centre", "bass (LFE)", "left surround", "right surround"};
  constexpr const char* kEight[] = {"left",      "right",      "centre",    "bass (LFE)",
                                    "left back", "right back", "left side", "right side"};
  if (channels == 6 && layout.starts_with("5.1")) return kSix[channel];
  if (channels == 8 && layout.starts_with("7.1")) return kEight[channel];
  return "number " + std::to_string(channel + 1);
}

// Of surround sound whole channels: films leave some of them silent for long. No bass is common.
void check_surround(const Track& track) {
  const SoundFacts& sound = track.sound;
  const RuleSetting& rule = track.findings.rules()[Rule::missing_channel];
  const StreamFacts* stream = track.measured.container.stream(sound.stream);
  const std::string layout = stream == nullptr ? "" : stream->layout;
  double loudest = kNoSound_db;
  for (std::size_t i = 0; i < sound.frames(); ++i) loudest = std::max<double>(loudest, sound.peak_db(i));
  if (loudest < kAudible_db) return;
  for (std::size_t channel = 0; channel < sound.channels.size(); ++channel) {
    const std::vector<float>& peaks = sound.channels[channel].peak_db;
    const double peak = *std::max_element(peaks.begin(), peaks.end());
    if (peak >= rule.limit) continue;
    const std::string name = channel_name(layout, channel, sound.channels.size());
    const Severity most = name.starts_with("bass") ? Severity::info : Severity::block;
    track.findings.add_at_most(
        most, Rule::missing_channel, sound.stream, track.whole(), {peak, rule.limit},
        fmt::format("The {} channel of the {} is silent from beginning to end, while others have "
                    "sound.",
                    name, track.name()));
  }
}

}  // namespace

void check_sound(const Measured& measured, FindingList& findings, QualityReport& report) {
  for (const auto& [stream, sound] : measured.film.sounds()) {
    if (sound.frames() == 0 || sound.channels.empty()) continue;
    report.loudness.push_back(
        {stream, sound.integrated_lufs, sound.range_lu, sound.true_peak_dbtp, sound.stereo_mix, sound.surround_mix});
    const Track track{measured, sound, findings};
    check_silence(track);
    check_loudness(track);
    check_loud_sections(track);
    check_true_peak(track);
    check_phase(track);
    if (sound.channels.size() == kStereo) check_sides(track);
    if (sound.channels.size() > kStereo) check_surround(track);
  }
}

}  // namespace reelway::origin
