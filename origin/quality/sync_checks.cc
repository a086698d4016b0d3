#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/checks.h"

// Model. Sound can be late in four ways that a file tells of, each judged by itself:
//
//   times      the track begins later or earlier than the picture, or has a hole, by the container's times. That is no
//              fault where players follow the times, but most tools that make such files did not mean it.
//   lead       the track begins with digital silence and outlasts the picture by the same time, as when sound was
//   shifted
//              within its samples.
//   another    two tracks of the film carry the same sound, one of them later.
//   events     sharp events in the picture (cuts, flashes, the clap of a slate) come again and again at a constant
//              distance from sharp onsets in the sound.
//
// Not found: sound that is shifted in the samples of a file's only track, where no silence was put before it and the
// picture has no sharp events with a sound of their own. To hear that lips are late takes a person.

namespace reelway::origin {
namespace {

constexpr float kOnsetRise_db = 20, kOnsetLevel_db = -40;
constexpr double kPairReach_s = 1;
constexpr std::size_t kEventsMin = 4;
constexpr double kPairedPart = 0.6;  // of the onsets, and of the events
constexpr double kSpread_s = 0.05;   // of distances around their median, as its median deviation
constexpr double kLeadLongest_s = 2;
constexpr double kLeadMatch_s = 0.15;  // two frames of sound and one picture
constexpr float kDigitalSilence_db = -120;
constexpr int kLagFramesMax = 20;
constexpr double kLagAgreement = 0.6, kLagAdvantage = 0.1;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::string late_or_early(double lag_s) {
  return fmt::format("{:.2f} s {}", std::abs(lag_s), lag_s > 0 ? "late" : "early");
}

void check_times(const Measured& measured, int stream, FindingList& findings) {
  const RuleSetting& rule = findings.rules()[Rule::av_offset];
  const PacketFacts& sound = measured.container.packets(stream);
  if (sound.packets == 0) return;
  const double picture_s = measured.in_film(measured.video_packets().begin_s);
  const double sound_s = measured.in_film(sound.begin_s);
  const double lag_s = sound_s - picture_s;
  if (std::abs(lag_s) >= rule.seconds) {
    findings.add(Rule::av_offset, stream, {std::min(picture_s, sound_s), std::max(picture_s, sound_s)},
                 {std::abs(lag_s), rule.seconds},
                 fmt::format("By the times in the file the {} begins {:.2f} s {} the picture.",
                             measured.track_name(stream), std::abs(lag_s), lag_s > 0 ? "after" : "before"));
  }
  for (const auto& [from, to] : sound.holes) {
    const Span hole{measured.in_film(from), measured.in_film(to)};
    if (hole.length() < rule.seconds) continue;
    findings.add(Rule::av_offset, stream, hole, {hole.length(), rule.seconds},
                 fmt::format("The {} has a hole of {:.2f} s in its times at {}: players that do not fill it play all "
                             "that follows too early.",
                             measured.track_name(stream), hole.length(), time_code(hole.from_s)));
  }
}

// Whether the track is one that was pushed back within its samples.
void check_lead(const Measured& measured, const SoundFacts& sound, FindingList& findings) {
  const RuleSetting& rule = findings.rules()[Rule::av_offset];
  std::size_t silent = 0;
  while (silent < sound.frames() && sound.peak_db(silent) < kDigitalSilence_db) ++silent;
  if (silent == sound.frames()) return;
  const double lead_s = static_cast<double>(silent) * kSoundFrame_s;
  const double over_s = measured.in_film(measured.container.packets(sound.stream).end_s) -
                        measured.in_film(measured.video_packets().end_s);
  if (silent == 0 || lead_s > kLeadLongest_s || over_s < rule.seconds) return;
  if (std::abs(lead_s - over_s) > kLeadMatch_s) return;
  findings.add(
      Rule::av_offset, sound.stream, {sound.times.front(), sound.times[silent]}, {over_s, rule.seconds},
      fmt::format("The {} begins with {:.1f} s of nothing and ends {:.2f} s after the picture: it was probably "
                  "pushed back by that.",
                  measured.track_name(sound.stream), lead_s, over_s));
}

// When sound begins sharply. Within its frame, the part of the energy that the frame has of the next one's says when.
std::vector<double> onsets_of(const SoundFacts& sound) {
  std::vector<double> onsets;
  for (std::size_t i = 2; i + 1 < sound.frames(); ++i) {
    const float before = std::max({sound.rms_db(i - 1), sound.rms_db(i - 2), -90.0F});
    if (sound.rms_db(i) < before + kOnsetRise_db || sound.peak_db(i) < kOnsetLevel_db) continue;
    const double part = std::pow(10.0, (sound.rms_db(i) - sound.rms_db(i + 1)) / 10.0);
    // A sound that is over before the next frame does not say when in this one it began.
    const double into_frame = part < 1 ? 1 - part : 0.5;
    onsets.push_back(sound.times[i] + kSoundFrame_s * into_frame);
    i += 2;
  }
  return onsets;
}

// Sharp events of the picture: cuts, flashes (which cut twice), and a picture after black.
std::vector<double> events_of(const PictureFacts& picture) {
  std::vector<double> events;
  for (const double cut_s : picture.cuts) {
    if (events.empty() || cut_s - events.back() > 0.5) events.push_back(cut_s);
  }
  return events;
}

void check_events(const Measured& measured, const SoundFacts& sound, FindingList& findings) {
  const RuleSetting& rule = findings.rules()[Rule::av_offset];
  const std::vector<double> onsets = onsets_of(sound), events = events_of(measured.film.picture());
  std::vector<double> lags;
  Span span{0, 0};
  for (const double onset_s : onsets) {
    const auto next = std::lower_bound(events.begin(), events.end(), onset_s);
    double lag_s = kPairReach_s;
    if (next != events.end()) lag_s = onset_s - *next;
    if (next != events.begin() && std::abs(onset_s - *(next - 1)) < std::abs(lag_s)) lag_s = onset_s - *(next - 1);
    if (std::abs(lag_s) >= kPairReach_s) continue;
    if (lags.empty()) span.from_s = onset_s - lag_s;
    span.to_s = onset_s;
    lags.push_back(lag_s);
  }
  const auto paired = static_cast<double>(lags.size());
  if (lags.size() < kEventsMin || paired < kPairedPart * static_cast<double>(onsets.size()) ||
      paired < kPairedPart * static_cast<double>(events.size())) {
    return;
  }
  const double lag_s = median(lags);
  std::vector<double> deviations;
  for (const double one_s : lags) deviations.push_back(std::abs(one_s - lag_s));
  if (std::abs(lag_s) < rule.seconds || median(std::move(deviations)) > kSpread_s) return;
  findings.add(Rule::av_offset, sound.stream, span, {std::abs(lag_s), rule.seconds},
               fmt::format("The {} is {}: {} sharp sounds come at that distance from the cuts and flashes that they "
                           "belong to.",
                           measured.track_name(sound.stream), late_or_early(lag_s), lags.size()));
}

// By how much sound rises from frame to frame, on the grid of the film's tenths of seconds.
std::vector<double> rises_of(const SoundFacts& sound) {
  std::vector<double> levels(static_cast<std::size_t>(std::max(sound.end_s(), 0.0) / kSoundFrame_s) + 1,
                             kOnsetLevel_db);
  for (std::size_t i = 0; i < sound.frames(); ++i) {
    const double place = std::round(sound.times[i] / kSoundFrame_s);
    if (place < 0 || place >= static_cast<double>(levels.size())) continue;
    levels[static_cast<std::size_t>(place)] = std::max(sound.rms_db(i), kOnsetLevel_db);
  }
  std::vector<double> rises(levels.size(), 0);
  for (std::size_t i = 1; i < levels.size(); ++i) rises[i] = std::max(levels[i] - levels[i - 1], 0.0);
  return rises;
}

double agreement(const std::vector<double>& one, const std::vector<double>& other, int lag) {
  double both = 0, squares_one = 0, squares_other = 0;
  const auto count = static_cast<int>(std::min(one.size(), other.size()));
  for (int i = std::max(0, -lag); i < count - std::max(0, lag); ++i) {
    const double a = one[static_cast<std::size_t>(i)], b = other[static_cast<std::size_t>(i + lag)];
    both += a * b;
    squares_one += a * a;
    squares_other += b * b;
  }
  const double scale = std::sqrt(squares_one * squares_other);
  return scale > 0 ? both / scale : 0;
}

void check_against(const Measured& measured, const SoundFacts& reference, const SoundFacts& sound,
                   FindingList& findings) {
  const RuleSetting& rule = findings.rules()[Rule::av_offset];
  const std::vector<double> one = rises_of(reference), other = rises_of(sound);
  std::vector<double> by_lag;
  for (int lag = -kLagFramesMax; lag <= kLagFramesMax; ++lag) by_lag.push_back(agreement(one, other, lag));
  const auto best = std::max_element(by_lag.begin() + 1, by_lag.end() - 1);
  if (*best < kLagAgreement || *best < by_lag[kLagFramesMax] + kLagAdvantage) return;
  // Between frames, by the parabola through the best lag and its neighbours.
  const double before = *(best - 1), after = *(best + 1), bend = before - 2 * *best + after;
  const double within = bend < 0 ? 0.5 * (before - after) / bend : 0;
  const double lag_s = (static_cast<double>(best - by_lag.begin()) - kLagFramesMax + within) * kSoundFrame_s;
  if (std::abs(lag_s) < rule.seconds) return;
  findings.add(Rule::av_offset, sound.stream, {sound.times.front(), sound.end_s()}, {std::abs(lag_s), rule.seconds},
               fmt::format("The {} is {} against the {}, which has the same sound.", measured.track_name(sound.stream),
                           late_or_early(lag_s), measured.track_name(reference.stream)));
}

}  // namespace

void check_sync(const Measured& measured, FindingList& findings) {
  for (const AudioSource& audio : measured.facts.audio) check_times(measured, audio.stream, findings);
  const SoundFacts* reference = nullptr;
  for (const auto& [stream, sound] : measured.film.sounds()) {
    if (sound.frames() == 0 || sound.channels.empty()) continue;
    check_lead(measured, sound, findings);
    check_events(measured, sound, findings);
    if (reference == nullptr)
      reference = &sound;
    else
      check_against(measured, *reference, sound, findings);
  }
}

}  // namespace reelway::origin
