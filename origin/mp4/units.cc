#include "origin/mp4/units.h"

#include <algorithm>

#include "origin/mp4/ticks.h"

// Model: units tile the samples. Video decides where they begin, at its key frames; audio follows with the first
// frame that is presented at or after each of these times, so the n-th units of all tracks cover the same time to
// within one audio frame. All comparisons are between exact rationals.

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint64_t kUnitSeconds = 2;
constexpr std::uint64_t kSecondsMax = 10'000'000;
constexpr std::size_t kNameBytesMax = 128;

// The encoder's key frames come every 2 s give or take a frame; one that follows sooner is an extra one.
bool long_enough(std::uint64_t ticks, std::uint32_t timescale) {
  return ticks * 10 >= std::uint64_t{timescale} * 19;
}

// A last unit shorter than half a second would make a segment that costs a request for nothing.
bool too_short(std::uint64_t ticks, std::uint32_t timescale) {
  return ticks * 2 < timescale;
}

std::string sample_name(std::size_t i) {
  return "sample " + std::to_string(i + 1);
}

void merge_short_tail(std::vector<Unit>& units, std::uint64_t last_unit_ticks, std::uint32_t timescale) {
  if (units.size() < 2 || !too_short(last_unit_ticks, timescale)) return;
  const std::uint32_t count = units.back().sample_count;
  units.pop_back();
  units.back().sample_count += count;
}

// The times at which audio is cut: those given, then on every 2 s from the video's end.
class CutTimes {
 public:
  CutTimes(const Cuts* cuts, std::uint32_t timescale) : cuts_(cuts), timescale_(cuts ? cuts->timescale : timescale) {}

  std::uint32_t timescale() const { return timescale_; }
  std::uint64_t at(std::size_t i) const {
    if (cuts_ == nullptr) return i * kUnitSeconds * timescale_;
    if (i < cuts_->starts.size()) return cuts_->starts[i];
    return cuts_->end + (i - cuts_->starts.size()) * kUnitSeconds * timescale_;
  }

 private:
  const Cuts* cuts_;
  std::uint32_t timescale_;
};

bool valid(const Cuts& cuts) {
  if (cuts.timescale == 0 || cuts.starts.empty() || cuts.starts.front() != 0) return false;
  if (cuts.starts.size() > kSamplesMax || cuts.end > kSecondsMax * cuts.timescale) return false;
  for (std::size_t i = 1; i < cuts.starts.size(); ++i) {
    if (cuts.starts[i] <= cuts.starts[i - 1]) return false;
  }
  return cuts.end > cuts.starts.back();
}

std::string name_complaint(std::string_view name, std::string_view what) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  if (name.empty() || name.size() > kNameBytesMax || !std::all_of(name.begin(), name.end(), plain)) {
    return std::string(what) + " is not plain text of 1 to 128 bytes";
  }
  return {};
}

std::string time_complaint(const TrackIndex& index) {
  if (index.timescale == 0 || index.timescale > 1'000'000'000) return "the timescale is out of range";
  const std::uint64_t longest = kSecondsMax * index.timescale;
  if (index.media_duration == 0 || index.media_duration > longest) return "the duration is out of range";
  if (index.edit_duration == 0 || index.edit_duration > longest) return "the edit's duration is out of range";
  if (std::uint64_t(index.edit_start < 0 ? -(index.edit_start + 1) : index.edit_start) > longest) {
    return "the edit's start is out of range";
  }
  return {};
}

std::string unit_complaint(const TrackIndex& index) {
  if (index.units.empty()) return "there are no units";
  for (const Unit unit : index.units) {
    if (!index.samples.is_sync(unit.first_sample)) return "a unit does not begin with a sync sample";
  }
  const Unit last = index.units.back();
  if (last.file_offset > index.file_bytes || last.file_bytes > index.file_bytes - last.file_offset) {
    return "the samples end after the file";
  }
  return {};
}

// Cut in two because unit_start needs what unit_complaint checks.
std::string presentation_complaint(const TrackIndex& index) {
  std::uint64_t former = 0;
  for (std::size_t i = 1; i <= index.units.size(); ++i) {
    const std::uint64_t start = unit_start(index, i);
    if (start <= former) return "unit " + std::to_string(i) + " does not begin after the one before it";
    former = start;
  }
  return {};
}

}  // namespace

std::string sample_complaint(std::span<const Sample> samples) {
  if (samples.empty() || samples.size() > kSamplesMax) return "the number of samples is out of range";
  if (!samples.front().sync) return "the first sample is not a sync sample";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i].bytes > kSampleBytesMax) return sample_name(i) + " is too large";
    if (samples[i].duration > INT32_MAX) return sample_name(i) + " is too long";
    if (samples[i].composition_offset < 0) return sample_name(i) + " is presented before it is decoded";
  }
  return {};
}

Result<std::vector<Unit>> cut_video_units(const TrackIndex& index, std::span<const Sample> samples) {
  std::vector<Unit> units;
  std::uint64_t decode_time = 0;
  std::uint64_t unit_time = 0;   // decode time of the unit's first sample
  std::uint64_t unit_shown = 0;  // presentation time of it, before the edit
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const std::uint64_t shown = decode_time + static_cast<std::uint64_t>(sample.composition_offset);
    if (i == 0 || (sample.sync && long_enough(decode_time - unit_time, index.timescale))) {
      if (i == 0 && !sample.sync) return unsupported(four_cc("stss"), "the first sample is not a sync sample");
      units.push_back({.first_sample = static_cast<std::uint32_t>(i), .sample_count = 0});
      unit_time = decode_time;
      unit_shown = shown;
    } else if (shown < unit_shown) {
      return unsupported(four_cc("ctts"), sample_name(i) + " is shown before the key frame it follows: encode with " +
                                              "closed groups of pictures");
    }
    ++units.back().sample_count;
    decode_time += sample.duration;
  }
  merge_short_tail(units, decode_time - unit_time, index.timescale);
  return units;
}

Result<std::vector<Unit>> cut_audio_units(const TrackIndex& index, std::span<const Sample> samples, const Cuts* cuts) {
  if (cuts != nullptr && !valid(*cuts)) return malformed(four_cc("moov"), "the video's cut times are not usable");
  const CutTimes times(cuts, index.timescale);
  std::vector<Unit> units;
  std::uint64_t decode_time = 0;
  std::uint64_t last_unit_time = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    if (sample.composition_offset != 0) return unsupported(four_cc("ctts"), "audio samples out of order");
    if (!sample.sync) return unsupported(four_cc("stss"), "audio samples that are not sync samples");
    const std::int64_t shown = static_cast<std::int64_t>(decode_time) - index.edit_start;
    const auto reached = [&](std::size_t cut) {
      return shown >= 0 &&
             !before(static_cast<std::uint64_t>(shown), index.timescale, times.at(cut), times.timescale());
    };
    if (i == 0 || reached(units.size())) {
      if (reached(units.size() + 1)) {
        return unsupported(four_cc("stts"), "the audio has a hole at " + sample_name(i) +
                                                " that is longer than a group of pictures: fill it with silence");
      }
      units.push_back({.first_sample = static_cast<std::uint32_t>(i), .sample_count = 0});
      last_unit_time = decode_time;
    }
    ++units.back().sample_count;
    decode_time += sample.duration;
  }
  merge_short_tail(units, decode_time - last_unit_time, index.timescale);
  return units;
}

bool place_units(TrackIndex& index, std::vector<Unit> units, std::uint64_t file_offset) {
  std::uint64_t decode_time = 0;
  std::uint32_t next_sample = 0;
  std::uint64_t common_ticks = index.samples.empty() ? 0 : index.samples.front().duration;
  for (Unit& unit : units) {
    if (unit.sample_count == 0 || unit.sample_count > index.samples.size() - next_sample) return false;
    unit.first_sample = next_sample;
    unit.decode_time = decode_time;
    unit.file_offset = file_offset;
    unit.file_bytes = 0;
    next_sample += unit.sample_count;
    for (const Sample& sample : index.samples.range(unit.first_sample, unit.sample_count)) {
      // Only what comes before a unit says when it begins: the last unit's own samples may last as they like.
      if (sample.duration != common_ticks && &unit != &units.back()) common_ticks = 0;
      unit.file_bytes += sample.bytes;
      decode_time += sample.duration;
    }
    file_offset += unit.file_bytes;
  }
  if (next_sample != index.samples.size()) return false;
  index.media_duration = decode_time;
  index.units = UnitTable(units, common_ticks);
  return true;
}

std::string index_complaint(const TrackIndex& index) {
  for (auto ask : {time_complaint, unit_complaint, presentation_complaint}) {
    if (std::string complaint = ask(index); !complaint.empty()) return complaint;
  }
  if (std::string complaint = name_complaint(index.codecs, "the codec's name"); !complaint.empty()) return complaint;
  if (std::string complaint = name_complaint(index.language, "the language"); !complaint.empty()) return complaint;
  const auto entry = next_box_header(index.sample_entry);
  if (!entry || entry->size != index.sample_entry.size()) return "the sample entry is not one box";
  return {};
}

}  // namespace reelway::origin::mp4
