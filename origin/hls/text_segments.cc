#include "origin/hls/text_segments.h"

#include <algorithm>
#include <cstdio>

#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/timeline.h"
#include "origin/hls/ts_clock.h"
#include "origin/mp4/ticks.h"
#include "origin/text/write_webvtt.h"

// Model: subtitles have no samples of their own, so they are cut at the times of a reference, the first picture. Times
// of cues are presentation times. In CMAF the edit list puts the first picture at presentation time 0, so the media
// clock is 0 when the film begins; in MPEG-TS it is what the streams begin with.

namespace reelway::origin::hls {
namespace {

constexpr std::uint64_t kMicro = 1'000'000;

const mp4::TrackIndex* reference_of(const Presentation& presentation) {
  const auto video = std::find_if(presentation.tracks.begin(), presentation.tracks.end(),
                                  [](const Track& track) { return track.index->kind == mp4::TrackKind::video; });
  if (video != presentation.tracks.end()) return video->index.get();
  return presentation.tracks.empty() ? nullptr : presentation.tracks.front().index.get();
}

std::string seconds(std::uint64_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%06llu", static_cast<unsigned long long>(microseconds / kMicro),
                static_cast<unsigned long long>(microseconds % kMicro));
  return text;
}

std::uint64_t rate(std::uint64_t bytes, std::uint64_t microseconds) {
  return microseconds == 0 ? 0 : mp4::rescale(bytes * 8, kMicro, microseconds) + 1;
}

// Without writing a segment: each cue counts in all that it reaches into.
BitRates rates_of(const text::TextSheet& cues, const std::vector<std::uint64_t>& starts) {
  const std::size_t count = starts.size() - 1;
  if (count == 0) return {};
  const std::uint64_t empty =
      text::write_webvtt(text::TextSheet(), {}).size() + (cues.head().empty() ? 0 : cues.head().size() + 1);
  std::vector<std::uint64_t> bytes(count, empty);
  for (std::size_t i = 0; i < cues.size(); ++i) {
    const text::Cue cue = cues.cue(i);
    auto segment = std::upper_bound(starts.begin(), starts.end(), cue.from_ms * std::uint64_t{1000});
    for (auto n = static_cast<std::size_t>(segment - starts.begin()) - 1; n < count; ++n) {
      if (starts[n] >= cue.to_ms * std::uint64_t{1000}) break;
      bytes[n] += text::cue_bytes(cue);
    }
  }
  BitRates rates;
  std::uint64_t sum = 0;
  for (std::size_t n = 0; n < count; ++n) {
    sum += bytes[n];
    rates.peak = std::max(rates.peak, rate(bytes[n], starts[n + 1] - starts[n]));
  }
  rates.average = rate(sum, starts.back());
  return rates;
}

// Names are what a person chooses by, and must differ within a group (RFC 8216bis section 4.4.6.1.1).
std::string unique_name(const std::vector<TextTrack>& texts, std::size_t position) {
  const std::string& name = texts[position].name;
  const auto end = texts.begin() + static_cast<std::ptrdiff_t>(position);
  const auto same = std::count_if(texts.begin(), end, [&](const TextTrack& other) { return other.name == name; });
  return same == 0 ? name : name + " (" + std::to_string(same + 1) + ")";
}

}  // namespace

std::vector<std::uint64_t> text_boundaries(const Presentation& presentation) {
  const mp4::TrackIndex* reference = reference_of(presentation);
  std::vector<std::uint64_t> starts;
  const std::uint32_t count = reference == nullptr ? 0 : segment_count(*reference, presentation.units_per_segment);
  const auto at = [reference](std::size_t unit) {
    return mp4::rescale(mp4::unit_start(*reference, unit), kMicro, reference->timescale);
  };
  for (std::uint32_t n = 0; n < count; ++n) {
    starts.push_back(at(segment_units(*reference, presentation.units_per_segment, n).first));
  }
  starts.push_back(reference == nullptr ? 0 : at(reference->units.size()));
  return starts;
}

std::string text_playlist(const Presentation& presentation) {
  std::string text =
      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string(target_seconds(presentation)) +
      "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n";
  const std::vector<std::uint64_t> starts = text_boundaries(presentation);
  for (std::size_t n = 0; n + 1 < starts.size(); ++n) {
    text += "#EXTINF:" + seconds(starts[n + 1] - starts[n]) + ",\n" + std::to_string(n) + ".vtt\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

Result<std::string> text_segment(const Presentation& presentation, const TextTrack& track, Packaging packaging,
                                 std::uint32_t segment) {
  const std::vector<std::uint64_t> starts = text_boundaries(presentation);
  if (segment + std::size_t{1} >= starts.size()) {
    return Error{ErrorCode::http_not_found, Side::client, false,
                 "segment " + std::to_string(segment) + ", the track has " + std::to_string(starts.size() - 1)};
  }
  const std::uint64_t clock = traits(packaging).container == Container::ts ? kTsOriginTicks : 0;
  return text::write_webvtt(*track.cues, {starts[segment], starts[segment + 1], clock});
}

std::vector<Rendition> text_renditions(const Presentation& presentation) {
  std::vector<Rendition> renditions;
  for (std::size_t i = 0; i < presentation.texts.size(); ++i) {
    const TextTrack& track = presentation.texts[i];
    Rendition one;
    one.type = Rendition::Type::subtitles;
    one.group = kSubtitlesGroup;
    one.name = unique_name(presentation.texts, i);
    one.language = track.language;
    one.track_id = track.id;
    if (track.for_deaf) one.characteristics = kForTheDeaf;
    one.forced = track.forced;
    renditions.push_back(std::move(one));
  }
  return renditions;
}

BitRates text_rates(const Presentation& presentation) {
  const std::vector<std::uint64_t> starts = text_boundaries(presentation);
  BitRates rates;
  for (const TextTrack& track : presentation.texts) {
    const BitRates one = rates_of(*track.cues, starts);
    rates.peak = std::max(rates.peak, one.peak);
    rates.average = std::max(rates.average, one.average);
  }
  return rates;
}

}  // namespace reelway::origin::hls
