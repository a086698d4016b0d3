#include "origin/hls/multivariant_playlist.h"

#include <algorithm>
#include <cstdio>

#include "origin/hls/attribute_list.h"
#include "origin/hls/audio_groups.h"
#include "origin/hls/timeline.h"
#include "origin/mp4/ticks.h"

// Model: every video track is one variant with each audio group. A variant's rates are its own plus those of the
// heaviest member of each group that it names. Players that have not measured anything start with the variant that is
// listed first (Apple's sample ladder lists one of 2 Mb/s first), so the first is the best that needs no more than
// that; the others follow from highest to lowest.

namespace reelway::origin::hls {
namespace {

using mp4::TrackKind;

constexpr std::uint64_t kFirstVariantRateMax = 2'500'000;  // bits per second, average of video

struct Video {
  const Track* track = nullptr;
  BitRates rates;
};

std::vector<Video> videos_of(const MultivariantOrder& order) {
  const Presentation& presentation = order.presentation;
  const std::uint32_t target = target_seconds(presentation);
  std::vector<Video> videos;
  for (const Track& track : presentation.tracks) {
    if (track.index->kind != TrackKind::video) continue;
    videos.push_back({&track, bit_rates(*track.index, presentation.units_per_segment, target, order.packaging)});
  }
  const auto first = std::find_if(videos.begin(), videos.end(),
                                  [](const Video& video) { return video.rates.average <= kFirstVariantRateMax; });
  if (first != videos.end()) std::rotate(videos.begin(), first, first + 1);
  return videos;
}

std::string frame_rate_text(const mp4::TrackIndex& index) {
  const mp4::Unit& last = index.units.back();
  const std::uint64_t frames = std::uint64_t{last.first_sample} + last.sample_count;
  const std::uint64_t thousandths = mp4::rescale(frames * 1000, index.timescale, index.media_duration);
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%03llu", static_cast<unsigned long long>(thousandths / 1000),
                static_cast<unsigned long long>(thousandths % 1000));
  return text;
}

std::string variant_lines(const MultivariantOrder& order, const Video& video, const AudioGroup* group) {
  const mp4::TrackIndex& index = *video.track->index;
  const BitRates audio = group != nullptr ? group->rates : BitRates{};
  TagLine tag("EXT-X-STREAM-INF");
  tag.number("BANDWIDTH", video.rates.peak + audio.peak + order.subtitle_rates.peak);
  tag.number("AVERAGE-BANDWIDTH", video.rates.average + audio.average + order.subtitle_rates.average);
  tag.quoted("CODECS", group != nullptr ? index.codecs + "," + group->codecs : index.codecs);
  tag.word("RESOLUTION", std::to_string(index.width) + "x" + std::to_string(index.height));
  tag.word("FRAME-RATE", frame_rate_text(index));
  if (group != nullptr) tag.quoted("AUDIO", group->id);
  if (!order.subtitles.empty()) tag.quoted("SUBTITLES", kSubtitlesGroup);
  return tag.line() + video.track->id + "/media.m3u8\n";
}

std::string media_lines(const std::vector<Rendition>& renditions) {
  std::string text;
  for (const Rendition& rendition : renditions) text += media_line(rendition);
  return text;
}

}  // namespace

std::string multivariant_playlist(const MultivariantOrder& order) {
  const std::vector<AudioGroup> groups = audio_groups(order.presentation, order.packaging);
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  text += order.session_keys;
  for (const AudioGroup& group : groups) text += media_lines(group.renditions);
  text += media_lines(order.subtitles);
  const std::vector<Video> videos = videos_of(order);
  for (const AudioGroup& group : groups) {
    for (const Video& video : videos) text += variant_lines(order, video, &group);
  }
  if (groups.empty()) {
    for (const Video& video : videos) text += variant_lines(order, video, nullptr);
  }
  return text + order.image_streams;
}

}  // namespace reelway::origin::hls
