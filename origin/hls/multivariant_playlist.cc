#include <algorithm>
#include <cstdio>

#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"
#include "origin/hls/timeline.h"
#include "origin/mp4/ticks.h"

// Model: audio tracks of one codec are a group; every video track is one variant with each group. All groups offer the
// same choice (RFC 8216bis section 4.4.6.1.1): what exists in the first group's codec only (a language without surround
// sound) stands in the others with that track, and their variants name both codecs. A variant's rates are its own plus
// those of the group's heaviest member. Players that have not measured anything start with the
// variant that is listed first (Apple's sample ladder lists one of 2 Mb/s first), so the first is the best that needs
// no more than that; the others follow from highest to lowest.

namespace reelway::origin::hls {
namespace {

using mp4::TrackKind;

constexpr std::uint64_t kFirstVariantRateMax = 2'500'000;  // bits per second, average of video

struct Video {
  const Track* track = nullptr;
  BitRates rates;
};

struct AudioGroup {
  std::string id;
  std::string codec;   // that it is for
  std::string codecs;  // of all its members
  std::vector<const Track*> members;
  BitRates rates;  // of the heaviest member, peak and average apart
};

// What a quoted string may not hold (RFC 8216bis section 4.2) becomes a plain character.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') {
      result += '\'';
    } else {
      result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
  }
  return result + "\"";
}

std::vector<Video> videos_of(const Presentation& presentation, std::uint32_t target) {
  std::vector<Video> videos;
  for (const Track& track : presentation.tracks) {
    if (track.index->kind != TrackKind::video) continue;
    videos.push_back({&track, bit_rates(*track.index, presentation.units_per_segment, target)});
  }
  const auto first = std::find_if(videos.begin(), videos.end(),
                                  [](const Video& video) { return video.rates.average <= kFirstVariantRateMax; });
  if (first != videos.end()) std::rotate(videos.begin(), first, first + 1);
  return videos;
}

const std::string& plain_name(const Track& track) {
  return track.name.empty() ? track.index->language : track.name;
}

// Whether a viewer would take them for the same, in two codecs.
bool is_same_choice(const Track& one, const Track& other) {
  return one.index->language == other.index->language && plain_name(one) == plain_name(other);
}

// The group's members in the order of the first group's, whose tracks stand in for those that it has none of.
void complete(AudioGroup& group, const AudioGroup& first) {
  std::vector<const Track*> members;
  for (const Track* offered : first.members) {
    const auto own = std::find_if(group.members.begin(), group.members.end(),
                                  [&](const Track* track) { return is_same_choice(*track, *offered); });
    members.push_back(own == group.members.end() ? offered : *own);
    if (own != group.members.end())
      group.members.erase(own);
    else if (!group.codecs.ends_with("," + first.codec))
      group.codecs += "," + first.codec;
  }
  members.insert(members.end(), group.members.begin(), group.members.end());
  group.members = std::move(members);
}

std::vector<AudioGroup> groups_of(const Presentation& presentation, std::uint32_t target) {
  std::vector<AudioGroup> groups;
  for (const Track& track : presentation.tracks) {
    if (track.index->kind != TrackKind::audio) continue;
    const std::string& codec = track.index->codecs;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const AudioGroup& g) { return g.codec == codec; });
    if (group == groups.end()) group = groups.insert(groups.end(), {"audio-" + codec, codec, codec, {}, {}});
    group->members.push_back(&track);
  }
  for (std::size_t i = 1; i < groups.size(); ++i) complete(groups[i], groups.front());
  for (AudioGroup& group : groups) {
    for (const Track* track : group.members) {
      const BitRates rates = bit_rates(*track->index, presentation.units_per_segment, target);
      group.rates.peak = std::max(group.rates.peak, rates.peak);
      group.rates.average = std::max(group.rates.average, rates.average);
    }
  }
  return groups;
}

// Names are what a person chooses by, and must differ within a group.
std::string unique_name(const AudioGroup& group, std::size_t member) {
  const std::string& name = plain_name(*group.members[member]);
  std::size_t same = 0;
  for (std::size_t i = 0; i < member; ++i) same += plain_name(*group.members[i]) == name ? 1 : 0;
  return same == 0 ? name : name + " (" + std::to_string(same + 1) + ")";
}

// Exactly one member of each group is the default, the same choice in all: the presentation's, or the first.
std::size_t default_member(const AudioGroup& group, const Track* preferred) {
  for (std::size_t i = 0; preferred != nullptr && i < group.members.size(); ++i) {
    if (is_same_choice(*group.members[i], *preferred)) return i;
  }
  return 0;
}

const Track* default_track(const Presentation& presentation) {
  const auto place = std::find_if(presentation.tracks.begin(), presentation.tracks.end(), [](const Track& track) {
    return track.is_default && track.index->kind == TrackKind::audio;
  });
  return place == presentation.tracks.end() ? nullptr : &*place;
}

std::string media_lines(const AudioGroup& group, const Track* preferred) {
  std::string text;
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    const Track& track = *group.members[i];
    text += "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=" + quoted(group.id) + ",NAME=" + quoted(unique_name(group, i)) +
            ",LANGUAGE=" + quoted(track.index->language) +
            ",DEFAULT=" + (i == default_member(group, preferred) ? "YES" : "NO") + ",AUTOSELECT=YES,CHANNELS=\"" +
            std::to_string(track.index->channels) + "\",URI=" + quoted(track.id + "/media.m3u8") + "\n";
  }
  return text;
}

std::string frame_rate_text(const mp4::TrackIndex& index) {
  const std::uint64_t thousandths =
      mp4::rescale(index.samples.size() * std::uint64_t{1000}, index.timescale, index.media_duration);
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%03llu", static_cast<unsigned long long>(thousandths / 1000),
                static_cast<unsigned long long>(thousandths % 1000));
  return text;
}

std::string variant_lines(const Video& video, const AudioGroup* group) {
  const mp4::TrackIndex& index = *video.track->index;
  const BitRates audio = group != nullptr ? group->rates : BitRates{};
  std::string text = "#EXT-X-STREAM-INF:BANDWIDTH=" + std::to_string(video.rates.peak + audio.peak) +
                     ",AVERAGE-BANDWIDTH=" + std::to_string(video.rates.average + audio.average) +
                     ",CODECS=" + quoted(group != nullptr ? index.codecs + "," + group->codecs : index.codecs) +
                     ",RESOLUTION=" + std::to_string(index.width) + "x" + std::to_string(index.height) +
                     ",FRAME-RATE=" + frame_rate_text(index);
  if (group != nullptr) text += ",AUDIO=" + quoted(group->id);
  return text + "\n" + video.track->id + "/media.m3u8\n";
}

}  // namespace

std::string multivariant_playlist(const Presentation& presentation) {
  const std::uint32_t target = target_seconds(presentation);
  const std::vector<AudioGroup> groups = groups_of(presentation, target);
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  const Track* preferred = default_track(presentation);
  for (const AudioGroup& group : groups) text += media_lines(group, preferred);
  const std::vector<Video> videos = videos_of(presentation, target);
  for (const AudioGroup& group : groups) {
    for (const Video& video : videos) text += variant_lines(video, &group);
  }
  if (groups.empty()) {
    for (const Video& video : videos) text += variant_lines(video, nullptr);
  }
  return text;
}

}  // namespace reelway::origin::hls
