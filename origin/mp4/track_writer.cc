#include "origin/mp4/track_writer.h"

#include <algorithm>
#include <string>

#include "origin/mp4/box.h"
#include "origin/mp4/track_boxes.h"
#include "origin/mp4/units.h"

// Model: a unit of the index is a "chunk" of ISO/IEC 14496-12, so stco has one entry every two seconds of film. Offsets
// depend on the length of the moov that holds them, so the head is written twice: once to see how long it gets.

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint64_t kHeadBytesMax = 1ull << 30;  // of any track that kSamplesMax allows
constexpr std::uint32_t kBoxHeaderBytes = 8, kLargeBoxHeaderBytes = 16;

// A table of runs: (count, value) for neighbours that are alike.
template <class Value>
void write_runs(ByteWriter& out, const std::vector<Sample>& samples, Value value) {
  const std::size_t count_at = out.size();
  std::uint32_t runs = 0;
  out.u32(0);
  for (std::size_t i = 0; i < samples.size();) {
    std::size_t end = i + 1;
    while (end < samples.size() && value(samples[end]) == value(samples[i])) ++end;
    out.u32(static_cast<std::uint32_t>(end - i));
    out.u32(value(samples[i]));
    ++runs;
    i = end;
  }
  out.patch_u32(count_at, runs);
}

void write_times(ByteWriter& out, const std::vector<Sample>& samples) {
  {
    const BoxScope stts(out, four_cc("stts"), 0, 0);
    write_runs(out, samples, [](const Sample& sample) { return sample.duration; });
  }
  const auto is_reordered = [](const Sample& sample) { return sample.composition_offset != 0; };
  if (std::none_of(samples.begin(), samples.end(), is_reordered)) return;
  const BoxScope ctts(out, four_cc("ctts"), 0, 0);
  write_runs(out, samples, [](const Sample& sample) { return static_cast<std::uint32_t>(sample.composition_offset); });
}

void write_sync(ByteWriter& out, const std::vector<Sample>& samples) {
  if (std::all_of(samples.begin(), samples.end(), [](const Sample& sample) { return sample.sync; })) return;
  const BoxScope stss(out, four_cc("stss"), 0, 0);
  const std::size_t count_at = out.size();
  std::uint32_t count = 0;
  out.u32(0);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i].sync) continue;
    out.u32(static_cast<std::uint32_t>(i + 1));
    ++count;
  }
  out.patch_u32(count_at, count);
}

void write_chunks(ByteWriter& out, const UnitTable& units) {
  const BoxScope stsc(out, four_cc("stsc"), 0, 0);
  const std::size_t count_at = out.size();
  std::uint32_t runs = 0;
  out.u32(0);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (i > 0 && units[i].sample_count == units[i - 1].sample_count) continue;
    out.u32(static_cast<std::uint32_t>(i + 1));
    out.u32(units[i].sample_count);
    out.u32(1);  // the sample entry
    ++runs;
  }
  out.patch_u32(count_at, runs);
}

void write_sizes(ByteWriter& out, const std::vector<Sample>& samples) {
  const BoxScope stsz(out, four_cc("stsz"), 0, 0);
  out.u32(0);
  out.u32(static_cast<std::uint32_t>(samples.size()));
  for (const Sample& sample : samples) out.u32(sample.bytes);
}

void write_offsets(ByteWriter& out, const UnitTable& units, std::uint64_t first_sample_at, bool wide) {
  const BoxScope table(out, wide ? four_cc("co64") : four_cc("stco"), 0, 0);
  out.u32(static_cast<std::uint32_t>(units.size()));
  for (const Unit unit : units) {
    const std::uint64_t offset = first_sample_at + unit.file_offset - units.front().file_offset;
    if (wide)
      out.u64(offset);
    else
      out.u32(static_cast<std::uint32_t>(offset));
  }
}

void write_ftyp(ByteWriter& out) {
  const BoxScope ftyp(out, four_cc("ftyp"));
  out.u32(four_cc("isom"));
  out.u32(0x200);
  for (const FourCc brand : {four_cc("isom"), four_cc("iso2"), four_cc("mp41")}) out.u32(brand);
}

void write_mdat_header(ByteWriter& out, std::uint64_t bytes, bool wide) {
  out.u32(wide ? 1 : static_cast<std::uint32_t>(bytes + kBoxHeaderBytes));
  out.u32(four_cc("mdat"));
  if (wide) out.u64(bytes + kLargeBoxHeaderBytes);
}

Bytes head_with(const TrackIndex& index, std::uint64_t sample_bytes, std::uint64_t first_sample_at) {
  const bool wide = sample_bytes + kHeadBytesMax > UINT32_MAX;
  const StatedDurations durations{index.edit_duration, index.media_duration};
  const std::vector<Sample> samples = index.samples.all();
  ByteWriter out;
  write_ftyp(out);
  {
    const BoxScope moov(out, four_cc("moov"));
    write_mvhd(out, index, durations);
    write_trak(out, index, durations, [&](ByteWriter& tables) {
      write_times(tables, samples);
      write_sync(tables, samples);
      write_chunks(tables, index.units);
      write_sizes(tables, samples);
      write_offsets(tables, index.units, first_sample_at, wide);
    });
  }
  write_mdat_header(out, sample_bytes, wide);
  return out.take();
}

const char* difference(const TrackIndex& first, const TrackIndex& other) {
  if (other.kind != TrackKind::video) return "is no video";
  if (other.timescale != first.timescale) return "has another timescale";
  if (other.width != first.width || other.height != first.height) return "has another picture size";
  if (other.sample_entry != first.sample_entry) return "has another codec configuration";
  if (other.edit_start < 0) return "does not begin with its first picture";
  if (other.edit_duration != other.media_duration) return "does not present each of its pictures";
  return nullptr;
}

}  // namespace

Result<TrackIndex> join_video(std::span<const TrackIndex> parts) {
  CHECK(!parts.empty());
  TrackIndex whole = parts.front();
  std::vector<Sample> samples;
  whole.edit_duration = 0;
  // A part without B-frames is presented without delay. All parts get the longest delay, so that pictures stay where
  // they are on the common timeline.
  for (const TrackIndex& part : parts) whole.edit_start = std::max(whole.edit_start, part.edit_start);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const TrackIndex& part = parts[i];
    if (const char* what = difference(parts.front(), part)) {
      return Error{ErrorCode::transcode_failed, Side::self, false, "part " + std::to_string(i) + " " + what};
    }
    const auto later = static_cast<std::int32_t>(whole.edit_start - part.edit_start);
    for (Sample sample : part.samples.all()) {
      sample.composition_offset += later;
      samples.push_back(sample);
    }
    whole.edit_duration += part.edit_duration;
  }
  if (samples.size() > kSamplesMax) {
    return Error{ErrorCode::media_unsupported, Side::client, false,
                 std::to_string(samples.size()) + " pictures, at most " + std::to_string(kSamplesMax)};
  }
  auto units = cut_video_units(whole, samples);
  if (!units) return std::move(units).error();
  whole.samples = SampleTable(samples);
  CHECK(place_units(whole, std::move(units).value(), 0));
  return whole;
}

Bytes track_file_head(const TrackIndex& index) {
  std::uint64_t sample_bytes = 0;
  for (const Unit unit : index.units) sample_bytes += unit.file_bytes;
  const std::size_t head_bytes = head_with(index, sample_bytes, 0).size();
  CHECK(head_bytes < kHeadBytesMax);
  return head_with(index, sample_bytes, head_bytes);
}

}  // namespace reelway::origin::mp4
