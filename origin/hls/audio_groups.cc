#include "origin/hls/audio_groups.h"

#include <algorithm>

#include "origin/hls/timeline.h"
#include "origin/mp4/entry_facts.h"

namespace reelway::origin::hls {
namespace {

using mp4::TrackKind;

const std::string& plain_name(const Track& track) {
  return track.name.empty() ? track.index->language : track.name;
}

// A track's id says what it is: "audio/en-description-aac" (origin/jobs/delivered_files.cc).
bool is_role(const Track& track, std::string_view role) {
  return track.id.find("-" + std::string(role) + "-") != std::string::npos;
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
    else if (!group.codecs.ends_with("," + first.codecs))
      group.codecs += "," + first.codecs;
  }
  members.insert(members.end(), group.members.begin(), group.members.end());
  group.members = std::move(members);
}

std::vector<AudioGroup> groups_of(const Presentation& presentation) {
  std::vector<AudioGroup> groups;
  for (const Track& track : presentation.tracks) {
    if (track.index->kind != TrackKind::audio) continue;
    const std::string& codec = track.index->codecs;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const AudioGroup& g) { return g.codecs == codec; });
    if (group == groups.end()) group = groups.insert(groups.end(), {"audio-" + codec, codec, {}, {}, {}});
    group->members.push_back(&track);
  }
  for (std::size_t i = 1; i < groups.size(); ++i) complete(groups[i], groups.front());
  return groups;
}

// Names are what a person chooses by, and must differ within a group.
std::string unique_name(const AudioGroup& group, std::size_t member) {
  const std::string& name = plain_name(*group.members[member]);
  std::size_t same = 0;
  for (std::size_t i = 0; i < member; ++i) same += plain_name(*group.members[i]) == name ? 1 : 0;
  return same == 0 ? name : name + " (" + std::to_string(same + 1) + ")";
}

// The presentation's default, or the first that is no description or commentary.
std::size_t default_member(const AudioGroup& group, const Track* preferred) {
  for (std::size_t i = 0; preferred != nullptr && i < group.members.size(); ++i) {
    if (is_same_choice(*group.members[i], *preferred)) return i;
  }
  const auto main = std::find_if(group.members.begin(), group.members.end(), [](const Track* track) {
    return !is_role(*track, "description") && !is_role(*track, "commentary");
  });
  return main == group.members.end() ? 0 : static_cast<std::size_t>(main - group.members.begin());
}

const Track* default_track(const Presentation& presentation) {
  const auto place = std::find_if(presentation.tracks.begin(), presentation.tracks.end(), [](const Track& track) {
    return track.is_default && track.index->kind == TrackKind::audio;
  });
  return place == presentation.tracks.end() ? nullptr : &*place;
}

// RFC 8216bis section 4.4.6.1: of object-based sound the number of channels says less than that it is such.
std::string channels_text(const mp4::TrackIndex& index) {
  if (const auto objects = mp4::joint_object_complexity(index.sample_entry)) return std::to_string(*objects) + "/JOC";
  return std::to_string(index.channels);
}

std::vector<Rendition> renditions_of(const AudioGroup& group, const Track* preferred) {
  std::vector<Rendition> renditions;
  const std::size_t chosen = default_member(group, preferred);
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    const Track& track = *group.members[i];
    Rendition one;
    one.group = group.id;
    one.name = unique_name(group, i);
    one.language = track.index->language;
    one.track_id = track.id;
    one.channels = channels_text(*track.index);
    one.is_default = i == chosen;
    if (is_role(track, "description")) one.characteristics = kDescribesVideo;
    // A commentary is never what a player may choose by itself; one that is the default must be (section 4.4.6.1).
    one.autoselect = one.is_default || !is_role(track, "commentary");
    renditions.push_back(std::move(one));
  }
  return renditions;
}

}  // namespace

std::vector<AudioGroup> audio_groups(const Presentation& presentation, Packaging packaging) {
  const std::uint32_t target = target_seconds(presentation);
  const Track* preferred = default_track(presentation);
  std::vector<AudioGroup> groups = groups_of(presentation);
  for (AudioGroup& group : groups) {
    group.renditions = renditions_of(group, preferred);
    for (const Track* track : group.members) {
      const BitRates rates = bit_rates(*track->index, presentation.units_per_segment, target, packaging);
      group.rates.peak = std::max(group.rates.peak, rates.peak);
      group.rates.average = std::max(group.rates.average, rates.average);
    }
  }
  return groups;
}

}  // namespace reelway::origin::hls
