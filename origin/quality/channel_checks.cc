#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/checks.h"

// Model. Nobody can hear from one stereo track alone whether left and right are swapped: both ways are a film. So this
// is judged only where the file holds a second opinion:
//
// Two tracks of one film (a dub, or stereo beside 5.1) share music and effects. Where both carry the same sound, by the
// course of their levels, the sound should lie on the same side in both. A stretch where it lies on opposite sides is
// swapped in one of them; which one is for a person to say.
//
// Within 5.1 the bass channel carries nothing but bass. When the channel in its place does not, and another one does,
// the channels are in another order, as when a file in the order of cinema (L C R Ls Rs LFE) is labelled as one of
// television (L R C LFE Ls Rs).
//
// Not found: left and right swapped in a file with one stereo track, or in all of its tracks alike.

namespace reelway::origin {
namespace {

constexpr float kAudible_db = -50;
constexpr double kAside_db = 2;     // how much louder one side must be to be off the middle
constexpr double kAgreement = 0.5;  // of the levels of two tracks, for them to carry the same sound
constexpr std::size_t kSix = 6, kBass = 3;
// Crossings of zero a sample, at 48 kHz: below 240 Hz, and above 960 Hz.
constexpr double kBassCrossings = 0.01, kOtherCrossings = 0.04;
constexpr std::size_t kHeardFramesMin = 20;

// Correlation around the means, or around zero.
double correlation(const std::vector<double>& one, const std::vector<double>& other, bool around_means) {
  const auto count = static_cast<double>(one.size());
  double mean_one = 0, mean_other = 0;
  if (around_means) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      mean_one += one[i] / count;
      mean_other += other[i] / count;
    }
  }
  double both = 0, squares_one = 0, squares_other = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const double a = one[i] - mean_one, b = other[i] - mean_other;
    both += a * b;
    squares_one += a * a;
    squares_other += b * b;
  }
  const double scale = std::sqrt(squares_one * squares_other);
  return scale > 0 ? both / scale : 0;
}

// The frames of two tracks that begin at the same time.
struct Pair {
  const SoundFacts& one;
  const SoundFacts& other;
  std::vector<std::pair<std::size_t, std::size_t>> frames;
};

Pair paired(const SoundFacts& one, const SoundFacts& other) {
  Pair pair{one, other, {}};
  for (std::size_t i = 0, j = 0; i < one.frames() && j < other.frames();) {
    const double apart_s = one.times[i] - other.times[j];
    if (std::abs(apart_s) <= kSoundFrame_s / 2) {
      pair.frames.emplace_back(i++, j++);
    } else if (apart_s < 0) {
      ++i;
    } else {
      ++j;
    }
  }
  return pair;
}

// How much louder left is than right, in dB.
double lean(const SoundFacts& sound, std::size_t frame) {
  return std::clamp<double>(sound.channels[0].rms_db[frame] - sound.channels[1].rms_db[frame], -30, 30);
}

bool is_aside(const Pair& pair, std::size_t place) {
  const auto [i, j] = pair.frames[place];
  return pair.one.rms_db(i) > kAudible_db && pair.other.rms_db(j) > kAudible_db &&
         std::abs(lean(pair.one, i)) >= kAside_db && std::abs(lean(pair.other, j)) >= kAside_db;
}

// Stretches of frames off the middle that lie on opposite sides; frames in the middle belong to either.
std::vector<std::pair<std::size_t, std::size_t>> opposite_runs(const Pair& pair) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  bool open = false;
  for (std::size_t place = 0; place < pair.frames.size(); ++place) {
    if (!is_aside(pair, place)) continue;
    const auto [i, j] = pair.frames[place];
    const bool is_opposite = lean(pair.one, i) * lean(pair.other, j) < 0;
    if (is_opposite && open)
      runs.back().second = place + 1;
    else if (is_opposite)
      runs.emplace_back(place, place + 1);
    open = is_opposite;
  }
  return runs;
}

void judge(const Measured& measured, const Pair& pair, std::pair<std::size_t, std::size_t> run, FindingList& findings) {
  const RuleSetting& rule = findings.rules()[Rule::swapped_channels];
  std::vector<double> leans_one, leans_other, levels_one, levels_other;
  for (std::size_t place = run.first; place < run.second; ++place) {
    const auto [i, j] = pair.frames[place];
    levels_one.push_back(std::max(pair.one.rms_db(i), kAudible_db));
    levels_other.push_back(std::max(pair.other.rms_db(j), kAudible_db));
    if (!is_aside(pair, place)) continue;
    leans_one.push_back(lean(pair.one, i));
    leans_other.push_back(lean(pair.other, j));
  }
  const double aside_s = static_cast<double>(leans_one.size()) * kSoundFrame_s;
  if (aside_s < rule.seconds) return;
  if (-correlation(leans_one, leans_other, false) < rule.limit) return;
  if (correlation(levels_one, levels_other, true) < kAgreement) return;
  const Span span{pair.other.times[pair.frames[run.first].second],
                  pair.other.times[pair.frames[run.second - 1].second] + kSoundFrame_s};
  findings.add(
      Rule::swapped_channels, pair.other.stream, span, {aside_s, rule.seconds},
      fmt::format("From {} to {} the {} has on the right what the {} has on the left, and the other way round: "
                  "in one of them the sides are swapped.",
                  time_code(span.from_s), time_code(span.to_s), measured.track_name(pair.other.stream),
                  measured.track_name(pair.one.stream)));
}

// Mean crossings of a channel where it is heard; negative where it is hardly heard at all.
double crossings_of(const ChannelFacts& channel) {
  double sum = 0;
  std::size_t heard = 0;
  for (std::size_t i = 0; i < channel.rms_db.size(); ++i) {
    if (channel.rms_db[i] < kAudible_db) continue;
    sum += channel.crossings[i];
    ++heard;
  }
  return heard >= kHeardFramesMin ? sum / static_cast<double>(heard) : -1;
}

void check_order(const Measured& measured, const SoundFacts& sound, FindingList& findings) {
  const StreamFacts* stream = measured.container.stream(sound.stream);
  if (sound.channels.size() != kSix || stream == nullptr || !stream->layout.starts_with("5.1")) return;
  const double bass = crossings_of(sound.channels[kBass]);
  if (bass < kOtherCrossings) return;
  for (std::size_t channel = 0; channel < kSix; ++channel) {
    const double crossings = crossings_of(sound.channels[channel]);
    if (channel == kBass || crossings < 0 || crossings > kBassCrossings) continue;
    findings.add(Rule::swapped_channels, sound.stream, {sound.times.front(), sound.end_s()}, {bass, kOtherCrossings, 0},
                 fmt::format("The {} has high sound in its bass channel, and nothing but bass in channel {}: its "
                             "channels are in another order than its label says.",
                             measured.track_name(sound.stream), channel + 1));
    return;
  }
}

}  // namespace

void check_channels(const Measured& measured, FindingList& findings) {
  const SoundFacts* reference = nullptr;
  for (const auto& [stream, sound] : measured.film.sounds()) {
    if (sound.frames() == 0) continue;
    check_order(measured, sound, findings);
    if (sound.channels.size() < 2) continue;
    if (reference == nullptr) {
      reference = &sound;
      continue;
    }
    const Pair pair = paired(*reference, sound);
    for (const auto& run : opposite_runs(pair)) judge(measured, pair, run, findings);
  }
}

}  // namespace reelway::origin
