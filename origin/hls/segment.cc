#include "origin/hls/segment.h"

#include <algorithm>
#include <string>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "origin/mp4/box.h"
#include "origin/mp4/track_boxes.h"

// Model: a segment is styp, moof and the header of mdat, computed here, and then the bytes of its units as they lie
// in the track file. The layout says first which per-sample fields are needed, so that the length is known without
// building anything. Decode times are those of the media: the init segment's edit list turns them into presentation
// times. Only a track that begins late (edit_start < 0) has its decode times moved instead, because players handle
// that alike, and empty edits not.

namespace reelway::origin::hls {
namespace {

using mp4::BoxScope;
using mp4::four_cc;
using mp4::Sample;
using mp4::TrackIndex;
using mp4::Unit;

// ISO/IEC 14496-12 section 8.8.3.1: sample_depends_on in bits 24 and 25, sample_is_non_sync_sample in bit 16.
constexpr std::uint32_t kSyncFlags = 0x02000000;
constexpr std::uint32_t kOtherFlags = 0x01010000;

constexpr std::uint32_t kTfhdDuration = 0x8, kTfhdFlags = 0x20, kTfhdBaseIsMoof = 0x20000;
constexpr std::uint32_t kTrunDataOffset = 0x1, kTrunFirstFlags = 0x4, kTrunDuration = 0x100, kTrunSize = 0x200,
                        kTrunFlags = 0x400, kTrunOffsets = 0x800;

constexpr std::size_t kStypBytes = 24, kMoofBytes = 8, kMfhdBytes = 16, kTrafBytes = 8, kTfhdBytes = 16,
                      kTfdtBytes = 20, kTrunBytes = 20, kFieldBytes = 4, kSaizBytes = 17, kSaioBytes = 20,
                      kSencBytes = 16;
constexpr std::uint32_t kSencSubsamples = 0x2;

struct Layout {
  std::vector<Sample> samples;
  std::uint64_t media_bytes = 0;
  bool same_duration = true;
  bool all_sync = true;
  bool only_first_sync = true;
  bool any_offset = false;
  const SampleAuxiliary* auxiliary = nullptr;

  std::uint32_t tfhd_flags() const { return kTfhdBaseIsMoof | kTfhdFlags | (same_duration ? kTfhdDuration : 0); }
  std::uint32_t trun_flags() const {
    std::uint32_t flags = kTrunDataOffset | kTrunSize;
    if (!same_duration) flags |= kTrunDuration;
    if (!all_sync) flags |= only_first_sync ? kTrunFirstFlags : kTrunFlags;
    if (any_offset) flags |= kTrunOffsets;
    return flags;
  }
  std::size_t mdat_header_bytes() const { return media_bytes > UINT32_MAX - 8 ? 16 : 8; }
  std::size_t moof_bytes() const {
    const std::uint32_t flags = trun_flags();
    std::size_t fields = 0;
    for (const std::uint32_t field : {kTrunDuration, kTrunSize, kTrunFlags, kTrunOffsets}) {
      if ((flags & field) != 0) ++fields;
    }
    return kMoofBytes + kMfhdBytes + kTrafBytes + kTfhdBytes + kFieldBytes + (same_duration ? kFieldBytes : 0) +
           kTfdtBytes + kTrunBytes + ((flags & kTrunFirstFlags) != 0 ? kFieldBytes : 0) +
           samples.size() * fields * kFieldBytes + auxiliary_bytes();
  }
  bool same_auxiliary_size() const {
    const auto& sizes = auxiliary->sizes;
    return std::all_of(sizes.begin(), sizes.end(), [&sizes](std::uint8_t size) { return size == sizes.front(); });
  }
  // Entries of no bytes need no boxes that say where they are.
  std::size_t auxiliary_bytes() const {
    if (auxiliary == nullptr) return 0;
    const std::size_t senc = kSencBytes + auxiliary->entries.size();
    if (auxiliary->entries.empty()) return senc;
    return kSaizBytes + (same_auxiliary_size() ? 0 : samples.size()) + kSaioBytes + senc;
  }
  std::size_t header_bytes() const { return kStypBytes + moof_bytes() + mdat_header_bytes(); }
};

Layout lay_out(std::vector<Sample> samples, std::uint64_t media_bytes, const SampleAuxiliary* auxiliary) {
  Layout layout;
  layout.auxiliary = auxiliary;
  layout.samples = std::move(samples);
  layout.media_bytes = media_bytes;
  for (const Sample& sample : layout.samples) {
    layout.same_duration &= sample.duration == layout.samples.front().duration;
    layout.all_sync &= sample.sync;
    layout.only_first_sync &= sample.sync == (&sample == &layout.samples.front());
    layout.any_offset |= sample.composition_offset != 0;
  }
  return layout;
}

Layout lay_out(const TrackIndex& index, SegmentUnits units, const SampleAuxiliary* auxiliary) {
  const Unit& first = index.units[units.first];
  const Unit& last = index.units[units.first + units.count - 1];
  return lay_out(mp4::samples_of(index, units.first, units.count),
                 last.file_offset + last.file_bytes - first.file_offset, auxiliary);
}

void write_styp(ByteWriter& out) {
  const BoxScope styp(out, four_cc("styp"));
  out.u32(four_cc("msdh"));
  out.u32(0);
  out.u32(four_cc("msdh"));
  out.u32(four_cc("cmfs"));
}

void write_tfhd(ByteWriter& out, const Layout& layout) {
  const BoxScope tfhd(out, four_cc("tfhd"), 0, layout.tfhd_flags());
  out.u32(mp4::kTrackId);
  if (layout.same_duration) out.u32(layout.samples.front().duration);
  out.u32(layout.all_sync ? kSyncFlags : kOtherFlags);
}

void write_tfdt(ByteWriter& out, const TrackIndex& index, std::uint64_t decode_time) {
  const BoxScope tfdt(out, four_cc("tfdt"), 1, 0);
  const std::uint64_t delay = index.edit_start < 0 ? static_cast<std::uint64_t>(-index.edit_start) : 0;
  out.u64(decode_time + delay);
}

void write_trun(ByteWriter& out, const Layout& layout) {
  const std::uint32_t flags = layout.trun_flags();
  const BoxScope trun(out, four_cc("trun"), 0, flags);
  out.u32(static_cast<std::uint32_t>(layout.samples.size()));
  out.u32(static_cast<std::uint32_t>(layout.moof_bytes() + layout.mdat_header_bytes()));
  if ((flags & kTrunFirstFlags) != 0) out.u32(kSyncFlags);
  for (const Sample& sample : layout.samples) {
    if ((flags & kTrunDuration) != 0) out.u32(sample.duration);
    out.u32(sample.bytes);
    if ((flags & kTrunFlags) != 0) out.u32(sample.sync ? kSyncFlags : kOtherFlags);
    if ((flags & kTrunOffsets) != 0) out.i32(sample.composition_offset);
  }
}

// ISO/IEC 14496-12 sections 8.7.8 and 8.7.9, ISO/IEC 23001-7 section 7.2. senc is the last box of moof, so that its
// entries end where moof does.
void write_auxiliary(ByteWriter& out, const Layout& layout) {
  if (layout.auxiliary == nullptr) return;
  const SampleAuxiliary& auxiliary = *layout.auxiliary;
  const auto count = static_cast<std::uint32_t>(layout.samples.size());
  if (!auxiliary.entries.empty()) {
    {
      const BoxScope saiz(out, four_cc("saiz"), 0, 0);
      const bool same = layout.same_auxiliary_size();
      out.u8(same ? auxiliary.sizes.front() : 0);
      out.u32(count);
      if (!same) out.append(auxiliary.sizes);
    }
    const BoxScope saio(out, four_cc("saio"), 0, 0);
    out.u32(1);
    out.u32(static_cast<std::uint32_t>(layout.moof_bytes() - auxiliary.entries.size()));
  }
  const BoxScope senc(out, four_cc("senc"), 0, auxiliary.has_subsamples ? kSencSubsamples : 0);
  out.u32(count);
  out.append(auxiliary.entries);
}

void write_moof(ByteWriter& out, const TrackIndex& index, const Layout& layout, std::uint32_t sequence,
                std::uint64_t decode_time) {
  const BoxScope moof(out, four_cc("moof"));
  {
    const BoxScope mfhd(out, four_cc("mfhd"), 0, 0);
    out.u32(sequence);
  }
  const BoxScope traf(out, four_cc("traf"));
  write_tfhd(out, layout);
  write_tfdt(out, index, decode_time);
  write_trun(out, layout);
  write_auxiliary(out, layout);
}

void write_mdat_header(ByteWriter& out, const Layout& layout) {
  const std::uint64_t size = layout.media_bytes + layout.mdat_header_bytes();
  const bool large = layout.mdat_header_bytes() == 16;
  out.u32(large ? 1 : static_cast<std::uint32_t>(size));
  out.u32(four_cc("mdat"));
  if (large) out.u64(size);
}

}  // namespace

std::uint64_t clear_segment_bytes(const TrackIndex& index, SegmentUnits units) {
  const Layout layout = lay_out(index, units, nullptr);
  return layout.header_bytes() + layout.media_bytes;
}

Bytes segment_header(const TrackIndex& index, SegmentUnits units, std::uint32_t segment,
                     const SampleAuxiliary* auxiliary) {
  const Layout layout = lay_out(index, units, auxiliary);
  CHECK(auxiliary == nullptr || auxiliary->sizes.size() == layout.samples.size());
  ByteWriter out;
  write_styp(out);
  write_moof(out, index, layout, segment + 1, index.units[units.first].decode_time);
  write_mdat_header(out, layout);
  CHECK(out.size() == layout.header_bytes());
  return out.take();
}

Bytes fragment_header(FragmentOrder order) {
  const Layout layout = lay_out(std::move(order.samples), order.media_bytes, nullptr);
  ByteWriter out;
  write_moof(out, order.index, layout, order.sequence, order.decode_time);
  write_mdat_header(out, layout);
  return out.take();
}

Result<SegmentPlan> plan_segment(const TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t segment) {
  if (const std::uint32_t count = segment_count(index, units_per_segment); segment >= count) {
    return Error{ErrorCode::http_not_found, Side::client, false,
                 "segment " + std::to_string(segment) + ", the track has " + std::to_string(count)};
  }
  const SegmentUnits units = segment_units(index, units_per_segment, segment);
  const Unit& first = index.units[units.first];
  const Unit& last = index.units[units.first + units.count - 1];
  SegmentPlan plan;
  plan.header = segment_header(index, units, segment, nullptr);
  plan.file_offset = first.file_offset;
  plan.file_bytes = last.file_offset + last.file_bytes - first.file_offset;
  plan.first_unit = units.first;
  plan.unit_count = units.count;
  plan.crc32c = crc32c(plan.header);
  for (std::uint32_t i = 0; i < units.count; ++i) {
    const Unit& unit = index.units[units.first + i];
    plan.crc32c = crc32c_combine(plan.crc32c, unit.crc32c, unit.file_bytes);
  }
  return plan;
}

}  // namespace reelway::origin::hls
