#include "origin/hls/multivariant_playlist.h"

#include <algorithm>
#include <cstdio>

#include "origin/hls/attribute_list.h"
#include "origin/hls/audio_groups.h"
#include "origin/hls/iframes.h"
#include "origin/hls/session_tags.h"
#include "origin/hls/timeline.h"
#include "origin/mp4/entry_facts.h"
#include "origin/mp4/ticks.h"

// Model: every video track is one variant with each audio group. A variant's rates are its own plus those of the
// heaviest member of each group that it names. Players that have not measured anything start with the variant that is
// listed first (Apple's sample ladder lists one of 2 Mb/s first), so the first is the best that needs no more than
// that; the others follow from highest to lowest. Which is the better of two says SCORE: first by picture, then by
// sound.

namespace reelway::origin::hls {
namespace {

using mp4::TrackKind;

constexpr std::uint64_t kFirstVariantRateMax = 2'500'000;  // bits per second, average of video

struct Video {
  const Track* track = nullptr;
  BitRates rates;
  std::size_t rank = 0;  // among all, from 1, the best has the highest
};

// Which of two pictures is to be preferred when both can be had: the larger, then the newer codec, then the heavier.
bool is_better(const Video& one, const Video& other) {
  const auto generation = [](const mp4::TrackIndex& index) {
    return index.codecs.starts_with("av01") ? 2 : index.codecs.starts_with("avc") ? 0 : 1;
  };
  const mp4::TrackIndex& a = *one.track->index;
  const mp4::TrackIndex& b = *other.track->index;
  if (a.height != b.height) return a.height > b.height;
  if (generation(a) != generation(b)) return generation(a) > generation(b);
  return one.rates.average > other.rates.average;
}

void rank(std::vector<Video>& videos) {
  for (Video& one : videos) {
    one.rank = 1 + static_cast<std::size_t>(std::count_if(
                       videos.begin(), videos.end(), [&one](const Video& other) { return is_better(one, other); }));
  }
}

std::vector<Video> videos_of(const MultivariantOrder& order) {
  const Presentation& presentation = order.presentation;
  const std::uint32_t target = target_seconds(presentation);
  std::vector<Video> videos;
  for (const Track& track : presentation.tracks) {
    if (track.index->kind != TrackKind::video) continue;
    videos.push_back({&track, bit_rates(*track.index, presentation.units_per_segment, target, order.packaging)});
  }
  rank(videos);
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

std::string_view range_text(const mp4::TrackIndex& index) {
  switch (mp4::video_range(index.sample_entry)) {
    case mp4::VideoRange::sdr: return "SDR";
    case mp4::VideoRange::hlg: return "HLG";
    case mp4::VideoRange::pq: return "PQ";
  }
  return "SDR";
}

void add_picture(TagLine& tag, const MultivariantOrder& order, const Track& track, std::string_view stable_id) {
  tag.word("RESOLUTION", std::to_string(track.index->width) + "x" + std::to_string(track.index->height));
  tag.word("VIDEO-RANGE", range_text(*track.index));
  tag.quoted("STABLE-VARIANT-ID", stable_id);
  if (!order.steering.server_uri.empty()) tag.quoted("PATHWAY-ID", order.steering.pathway);
}

std::string codecs_of(const mp4::TrackIndex& video, const AudioGroup* group, bool with_imsc) {
  std::string codecs = video.codecs;
  if (group != nullptr) codecs += "," + group->codecs;
  return with_imsc ? codecs + "," + std::string(kImscCodecs) : codecs;
}

std::string variant_lines(const MultivariantOrder& order, const Video& video, const AudioGroup* group,
                          std::size_t score, bool with_imsc) {
  const mp4::TrackIndex& index = *video.track->index;
  const BitRates audio = group != nullptr ? group->rates : BitRates{};
  TagLine tag("EXT-X-STREAM-INF");
  tag.number("BANDWIDTH", video.rates.peak + audio.peak + order.subtitle_rates.peak);
  tag.number("AVERAGE-BANDWIDTH", video.rates.average + audio.average + order.subtitle_rates.average);
  tag.number("SCORE", score);
  tag.quoted("CODECS", codecs_of(index, group, with_imsc));
  tag.word("FRAME-RATE", frame_rate_text(index));
  add_picture(tag, order, *video.track, video.track->id);
  if (group != nullptr) tag.quoted("AUDIO", group->id);
  if (!order.subtitles.empty()) tag.quoted("SUBTITLES", with_imsc ? kImscGroup : kSubtitlesGroup);
  return tag.line() + video.track->id + "/media.m3u8\n";
}

// The groups' places by sound, from 0: more channels are better, then more bits.
std::vector<std::size_t> ranks_of(const std::vector<AudioGroup>& groups) {
  const auto worth = [](const AudioGroup& group) {
    std::uint32_t channels = 0;
    for (const Track* track : group.members) channels = std::max(channels, track->index->channels);
    return std::pair(channels, group.rates.average);
  };
  std::vector<std::size_t> ranks;
  for (const AudioGroup& one : groups) {
    ranks.push_back(static_cast<std::size_t>(std::count_if(
        groups.begin(), groups.end(), [&](const AudioGroup& other) { return worth(other) < worth(one); })));
  }
  return ranks;
}

std::string variants(const MultivariantOrder& order, const std::vector<Video>& videos,
                     const std::vector<AudioGroup>& groups, bool with_imsc) {
  std::string text;
  const std::vector<std::size_t> ranks = ranks_of(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const Video& video : videos) {
      text += variant_lines(order, video, &groups[i], (video.rank - 1) * groups.size() + ranks[i] + 1, with_imsc);
    }
  }
  if (!groups.empty()) return text;
  for (const Video& video : videos) text += variant_lines(order, video, nullptr, video.rank, with_imsc);
  return text;
}

std::string iframe_streams(const MultivariantOrder& order, const std::vector<Video>& videos) {
  std::string text;
  const std::uint32_t units_per_segment = order.presentation.units_per_segment;
  for (const Video& video : videos) {
    const BitRates rates = iframe_rates(*video.track->index, units_per_segment, order.packaging);
    if (rates.peak == 0) continue;
    TagLine tag("EXT-X-I-FRAME-STREAM-INF");
    tag.number("BANDWIDTH", rates.peak).number("AVERAGE-BANDWIDTH", rates.average);
    tag.quoted("CODECS", video.track->index->codecs);
    add_picture(tag, order, *video.track, video.track->id + "/iframes");
    text += tag.quoted("URI", video.track->id + "/iframes.m3u8").line();
  }
  return text;
}

std::string media_lines(const std::vector<Rendition>& renditions) {
  std::string text;
  for (const Rendition& rendition : renditions) text += media_line(rendition);
  return text;
}

}  // namespace

std::string multivariant_playlist(const MultivariantOrder& order) {
  const std::vector<AudioGroup> groups = audio_groups(order.presentation, order.packaging);
  const std::vector<Video> videos = videos_of(order);
  std::string text = "#EXTM3U\n" + session_tags(order);
  for (const AudioGroup& group : groups) text += media_lines(group.renditions);
  text += media_lines(order.subtitles);
  text += media_lines(order.imsc);
  text += variants(order, videos, groups, false);
  if (!order.imsc.empty()) text += variants(order, videos, groups, true);
  return text + iframe_streams(order, videos) + order.image_streams;
}

}  // namespace reelway::origin::hls
