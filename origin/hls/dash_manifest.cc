#include "origin/hls/dash_manifest.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "origin/hls/bit_rates.h"
#include "origin/hls/timeline.h"
#include "origin/mp4/entry_facts.h"
#include "origin/mp4/ticks.h"

// Model: tracks between which a player may switch by itself are one adaptation set: the video of one codec; the audio
// of one language, role, codec and layout. The timeline of each is that of its own segments, in ticks of the track:
// times after the edit list, as every player that heeds it sees them, so the presentation begins at 0.

namespace reelway::origin::hls {
namespace {

using mp4::TrackIndex;
using mp4::TrackKind;

constexpr std::string_view kHead =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011,"
    "urn:mpeg:dash:profile:cmaf:2019\" type=\"static\"";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
  }
  return result;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}
std::string attribute(std::string_view name, std::uint64_t value) {
  return attribute(name, std::string_view(std::to_string(value)));
}

std::string duration_text(std::uint64_t microseconds) {
  char text[48];
  std::snprintf(text, sizeof text, "PT%llu.%06lluS", static_cast<unsigned long long>(microseconds / 1'000'000),
                static_cast<unsigned long long>(microseconds % 1'000'000));
  return text;
}

// As a fraction, exact: "24000/1001".
std::string frame_rate_text(const TrackIndex& index) {
  const mp4::Unit& last = index.units.back();
  std::uint64_t frames = (std::uint64_t{last.first_sample} + last.sample_count) * index.timescale;
  std::uint64_t ticks = index.media_duration;
  std::uint64_t a = frames, b = ticks;
  while (b != 0) a = std::exchange(b, a % b);
  frames /= a;
  ticks /= a;
  // Variable rates have long fractions: then thousandths.
  constexpr std::uint64_t kDenominatorMax = 1001;
  if (ticks > kDenominatorMax) {
    frames = mp4::rescale(frames, 1000, ticks);
    ticks = 1000;
  }
  return ticks == 1 ? std::to_string(frames) : std::to_string(frames) + "/" + std::to_string(ticks);
}

std::string_view role_of(const Track& track) {
  if (track.id.find("-description-") != std::string::npos) return "description";
  if (track.id.find("-commentary-") != std::string::npos) return "commentary";
  if (track.index->kind == TrackKind::video) return "main";
  return track.is_default ? "main" : "alternate";
}

struct Set {
  std::vector<const Track*> tracks;
};

bool is_one_set(const Track& one, const Track& other) {
  const TrackIndex& a = *one.index;
  const TrackIndex& b = *other.index;
  if (a.kind != b.kind) return false;
  const auto family = [](const TrackIndex& index) { return index.codecs.substr(0, index.codecs.find('.')); };
  if (a.kind == TrackKind::video) return family(a) == family(b);
  return a.codecs == b.codecs && a.language == b.language && a.channels == b.channels && one.name == other.name;
}

std::vector<Set> sets_of(const Presentation& presentation) {
  std::vector<Set> sets;
  for (const Track& track : presentation.tracks) {
    const auto same =
        std::find_if(sets.begin(), sets.end(), [&](const Set& set) { return is_one_set(*set.tracks.front(), track); });
    if (same == sets.end()) {
      sets.push_back({{&track}});
    } else {
      same->tracks.push_back(&track);
    }
  }
  return sets;
}

// Runs of segments of one length are one entry.
std::string timeline_xml(const TrackIndex& index, std::uint32_t units_per_segment) {
  std::string text = "<SegmentTimeline>";
  const std::uint32_t count = segment_count(index, units_per_segment);
  for (std::uint32_t n = 0; n < count;) {
    const std::uint64_t ticks = segment_ticks(index, segment_units(index, units_per_segment, n));
    std::uint32_t run = 1;
    while (n + run < count && segment_ticks(index, segment_units(index, units_per_segment, n + run)) == ticks) ++run;
    text += n == 0 ? "<S t=\"0\"" : "<S";
    text += attribute("d", ticks);
    if (run > 1) text += attribute("r", run - 1);
    text += "/>";
    n += run;
  }
  return text + "</SegmentTimeline>";
}

std::string channels_xml(const TrackIndex& index) {
  // ChannelConfiguration of ISO/IEC 23091-3: 1 to 6 channels have their own number, 7.1 is 12.
  constexpr std::uint32_t kSevenOne = 8, kSevenOneConfiguration = 12;
  const std::uint32_t configuration = index.channels == kSevenOne ? kSevenOneConfiguration : index.channels;
  std::string text = "<AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:cicp:ChannelConfiguration\"" +
                     attribute("value", configuration) + "/>";
  if (mp4::joint_object_complexity(index.sample_entry)) {
    text += "<SupplementalProperty schemeIdUri=\"tag:dolby.com,2018:dash:EC3_ExtensionType:2018\" value=\"JOC\"/>";
  }
  return text;
}

std::string representation_xml(const DashOrder& order, const Track& track) {
  const TrackIndex& index = *track.index;
  const std::uint32_t units = order.presentation.units_per_segment;
  const BitRates rates = bit_rates(index, units, target_seconds(order.presentation), order.packaging);
  std::string text = "<Representation" + attribute("id", track.id) + attribute("bandwidth", rates.peak) +
                     attribute("codecs", index.codecs);
  if (index.kind == TrackKind::video) {
    text += attribute("width", index.width) + attribute("height", index.height) + " sar=\"1:1\"" +
            attribute("frameRate", frame_rate_text(index));
  } else {
    text += attribute("audioSamplingRate", index.sample_rate);
  }
  text += ">";
  if (index.kind == TrackKind::audio) text += channels_xml(index);
  text +=
      "<SegmentTemplate" + attribute("timescale", index.timescale) +
      " initialization=\"$RepresentationID$/init.mp4\" media=\"$RepresentationID$/$Number$.m4s\" startNumber=\"0\">" +
      timeline_xml(index, units) + "</SegmentTemplate>";
  return text + "</Representation>\n";
}

std::string set_xml(const DashOrder& order, const Set& set, std::size_t number) {
  const Track& first = *set.tracks.front();
  const bool is_video = first.index->kind == TrackKind::video;
  std::string text = "<AdaptationSet" + attribute("id", number) +
                     attribute("contentType", is_video ? "video" : "audio") +
                     attribute("mimeType", is_video ? "video/mp4" : "audio/mp4");
  if (!is_video) text += attribute("lang", first.index->language);
  text += " segmentAlignment=\"true\" startWithSAP=\"1\">\n" + order.content_protection;
  const std::string_view role = role_of(first);
  if (role == "description") {
    text += "<Accessibility schemeIdUri=\"urn:tva:metadata:cs:AudioPurposeCS:2007\" value=\"1\"/>\n";
  }
  text += "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\"" + attribute("value", role) + "/>\n";
  if (!first.name.empty()) text += "<Label>" + escaped(first.name) + "</Label>\n";
  for (const Track* track : set.tracks) text += representation_xml(order, *track);
  return text + "</AdaptationSet>\n";
}

std::uint64_t longest_microseconds(const Presentation& presentation) {
  std::uint64_t longest = 0;
  for (const Track& track : presentation.tracks) {
    longest = std::max(longest, mp4::rescale(track.index->edit_duration, 1'000'000, track.index->timescale));
  }
  return longest;
}

}  // namespace

bool has_dash_manifest(Packaging packaging) {
  const PackagingTraits& how = traits(packaging);
  return how.container == Container::fmp4 && how.protection != Protection::whole_segment;
}

std::string dash_manifest(const DashOrder& order) {
  const Presentation& presentation = order.presentation;
  std::string text(kHead);
  text += attribute("mediaPresentationDuration", duration_text(longest_microseconds(presentation))) +
          attribute("minBufferTime", "PT" + std::to_string(target_seconds(presentation)) + "S") + ">\n";
  if (!order.title.empty())
    text += "<ProgramInformation><Title>" + escaped(order.title) + "</Title></ProgramInformation>\n";
  text += "<Period id=\"0\" start=\"PT0S\">\n";
  std::size_t number = 0;
  for (const Set& set : sets_of(presentation)) text += set_xml(order, set, number++);
  return text + order.further_sets + "</Period>\n</MPD>\n";
}

}  // namespace reelway::origin::hls
