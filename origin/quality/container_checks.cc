#include <algorithm>
#include <cmath>
#include <map>

#include <spdlog/fmt/fmt.h>

#include "origin/mp4/language.h"
#include "origin/quality/checks.h"

namespace reelway::origin {
namespace {

// How much longer or shorter than usual a picture may stand: containers round to milliseconds.
constexpr double kRounding_s = 0.003;
constexpr double kOddPart = 0.2;
constexpr std::size_t kPicturesMin = 25;

void check_rate(const Measured& measured, FindingList& findings) {
  const std::vector<double>& times = measured.video_packets().times;
  if (times.size() < kPicturesMin) return;
  std::vector<double> steps;
  for (std::size_t i = 1; i < times.size(); ++i) steps.push_back(times[i] - times[i - 1]);
  std::vector<double> sorted = steps;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double usual = sorted[sorted.size() / 2];
  std::size_t odd = 0;
  Span span{-1, 0};
  double longest = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (std::abs(steps[i] - usual) <= std::max(kRounding_s, usual * kOddPart)) continue;
    ++odd;
    longest = std::max(longest, steps[i]);
    if (span.from_s < 0) span.from_s = measured.in_film(times[i]);
    span.to_s = measured.in_film(times[i + 1]);
  }
  const double share = static_cast<double>(odd) / static_cast<double>(steps.size());
  const RuleSetting& rule = findings.rules()[Rule::vfr];
  if (share <= rule.limit) return;
  findings.add(
      Rule::vfr, measured.facts.video.stream, span, {share, rule.limit, 0},
      fmt::format("The pictures do not come at a constant rate: {} of {} stand for another time than the usual "
                  "{:.0f} ms, the longest for {:.2f} s.",
                  odd, steps.size(), usual * 1000, longest));
}

void check_key_frames(const Measured& measured, FindingList& findings) {
  const PacketFacts& packets = measured.video_packets();
  const RuleSetting& rule = findings.rules()[Rule::key_frames];
  const int stream = measured.facts.video.stream;
  if (packets.packets == 0) return;
  const double begin_s = measured.in_film(packets.begin_s), end_s = measured.in_film(packets.end_s);
  const double first_s = packets.key_times.empty() ? end_s : measured.in_film(packets.key_times.front());
  if (!packets.begins_with_key) {
    findings.add(
        Rule::key_frames, stream, {begin_s, first_s}, {first_s - begin_s, 0},
        fmt::format("The film does not begin with a key frame: the first is at {}, and no picture before it can "
                    "be decoded.",
                    time_code(first_s)));
  }
  std::vector<double> marks{std::max(begin_s, 0.0)};
  for (const double key_s : packets.key_times) marks.push_back(measured.in_film(key_s));
  marks.push_back(end_s);
  for (std::size_t i = 1; i < marks.size(); ++i) {
    const Span span{marks[i - 1], marks[i]};
    if (span.length() <= rule.seconds) continue;
    findings.add(
        Rule::key_frames, stream, span, {span.length(), rule.seconds},
        fmt::format("There is no key frame for {:.1f} s, from {} to {}: players cannot seek there, and the film "
                    "cannot be cut into pieces for transcoding.",
                    span.length(), time_code(span.from_s), time_code(span.to_s)));
  }
}

void check_lengths(const Measured& measured, FindingList& findings) {
  const double picture_s = measured.in_film(measured.video_packets().end_s);
  const RuleSetting& rule = findings.rules()[Rule::av_length];
  for (const AudioSource& audio : measured.facts.audio) {
    const PacketFacts& packets = measured.container.packets(audio.stream);
    if (packets.packets == 0) continue;
    const double sound_s = measured.in_film(packets.end_s);
    const double difference_s = sound_s - picture_s;
    if (std::abs(difference_s) <= rule.seconds) continue;
    findings.add(Rule::av_length, audio.stream, {std::min(picture_s, sound_s), std::max(picture_s, sound_s)},
                 {std::abs(difference_s), rule.seconds, std::abs(difference_s)},
                 fmt::format("The {} ends {:.2f} s {} the picture: at {} instead of {}.",
                             measured.track_name(audio.stream), std::abs(difference_s),
                             difference_s > 0 ? "after" : "before", time_code(sound_s), time_code(picture_s)));
  }
}

bool is_real_language(std::string_view tag) {
  return !tag.empty() && tag != "und" && tag != "mis" && tag != "zxx" &&
         mp4::language_tag(mp4::packed_language(tag)) != "und";
}

void check_languages(const Measured& measured, FindingList& findings) {
  std::map<std::string, std::string> seen;  // type, language and title -> name of the track
  for (const StreamFacts& stream : measured.container.streams()) {
    if (stream.type != "audio" && stream.type != "subtitle") continue;
    const std::string name = measured.track_name(stream.stream);
    const Span whole{0, measured.duration_s()};
    if (stream.language.empty() || stream.language == "und") {
      findings.add(Rule::language, stream.stream, whole, {0, 0, 0}, "The " + name + " does not say its language.");
      continue;
    }
    if (!is_real_language(stream.language)) {
      findings.add(Rule::language, stream.stream, whole, {0, 0, 0},
                   "The " + name + " says language \"" + stream.language + "\", which is none.");
      continue;
    }
    const std::string key = stream.type + "/" + mp4::language_tag(mp4::packed_language(stream.language)) + "/" +
                            stream.title + "/" + std::to_string(stream.channels > 2);
    const auto [place, is_new] = seen.emplace(key, name);
    if (is_new) continue;
    findings.add(Rule::language, stream.stream, whole, {0, 0, 0},
                 "The " + name + " has the language of the " + place->second +
                     " and no title that tells them apart: one of the tags may be wrong.");
  }
}

}  // namespace

double Measured::duration_s() const {
  double end_s = in_film(video_packets().end_s);
  for (const AudioSource& audio : facts.audio) end_s = std::max(end_s, in_film(container.packets(audio.stream).end_s));
  return std::max(end_s, 0.0);
}

std::string Measured::track_name(int stream) const {
  const StreamFacts* facts_of_it = container.stream(stream);
  if (facts_of_it == nullptr) return "track " + std::to_string(stream);
  int number = 0;
  for (const StreamFacts& other : container.streams()) {
    if (other.type == facts_of_it->type && other.stream <= stream) ++number;
  }
  const std::string kind = facts_of_it->type == "audio" ? "sound" : facts_of_it->type;
  const std::string& language = facts_of_it->language;
  return fmt::format("{} track {}{}", kind, number, language.empty() ? "" : " (" + language.substr(0, 8) + ")");
}

void check_container(const Measured& measured, FindingList& findings) {
  check_rate(measured, findings);
  check_key_frames(measured, findings);
  check_lengths(measured, findings);
  check_languages(measured, findings);
}

}  // namespace reelway::origin
