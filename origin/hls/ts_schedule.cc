#include "origin/hls/ts_schedule.h"

#include <algorithm>

#include "origin/hls/ts_clock.h"

namespace reelway::origin::hls {
namespace {

using mp4::Sample;

constexpr std::uint64_t kSoundBytesMax = 60'000;  // of a PES packet of sound: its length has 16 bits
constexpr std::uint32_t kHeaderBytes = 14, kHeaderWithDecodeTimeBytes = 19;

}  // namespace

TsSchedule::TsSchedule(const mp4::TrackIndex& index, const TsStream& stream, SegmentUnits units)
    : index_(index), stream_(stream), samples_(mp4::samples_of(index, units.first, units.count)), unit_(units.first) {
  const mp4::Unit& first = index.units[units.first];
  unit_end_ = first.sample_count;
  decode_time_ = static_cast<std::int64_t>(first.decode_time) - index.edit_start;
  const auto last = std::find_if(samples_.rbegin(), samples_.rend(), counts);
  last_ = static_cast<std::uint32_t>(samples_.rend() - last) - (last == samples_.rend() ? 0 : 1);
}

std::uint32_t TsSchedule::prefix_bytes(const Sample& sample) const {
  switch (stream_.codec) {
    case TsCodec::avc: return kAudBytes + (sample.sync ? static_cast<std::uint32_t>(stream_.parameter_sets.size()) : 0);
    case TsCodec::aac: return kAdtsBytes;
    case TsCodec::ac3:
    case TsCodec::eac3: break;
  }
  return 0;
}

void TsSchedule::step() {
  decode_time_ += samples_[at_].duration;
  if (++at_ != unit_end_ || at_ == samples_.size()) return;
  ++unit_;
  unit_end_ += index_.units[unit_].sample_count;
  unit_begins_ = true;
}

// Whether the frame of sound at at_ goes on where the one before it, which is in the packet, ends: a decoder derives
// its time from that. A frame that lasts longer than its codec says has a hole after it.
bool TsSchedule::joins(const TsPes& pes) const {
  if (stream_.codec == TsCodec::avc || unit_begins_) return false;
  const Sample& sample = samples_[at_];
  const Sample& former = samples_[at_ - 1];
  const auto stated = std::uint64_t{former.duration} * stream_.sample_rate;
  const auto exact = std::uint64_t{stream_.frame_samples} * index_.timescale;
  if (!counts(former) || std::max(stated, exact) - std::min(stated, exact) > stream_.sample_rate) return false;
  if ((pes.span + sample.duration) * kTsClockRate > kTsReferenceTicks * std::uint64_t{index_.timescale}) return false;
  return pes.es_bytes + prefix_bytes(sample) + sample.bytes <= kSoundBytesMax;
}

bool TsSchedule::next(TsPes& pes) {
  while (at_ < samples_.size() && !counts(samples_[at_])) step();
  if (at_ == samples_.size()) return false;
  pes = {.first = at_,
         .unit = unit_,
         .starts_unit = unit_begins_,
         .sync = samples_[at_].sync,
         .decode_time = decode_time_,
         .composition_offset = samples_[at_].composition_offset};
  unit_begins_ = false;
  do {
    const Sample& sample = samples_[at_];
    if (counts(sample)) pes.es_bytes += prefix_bytes(sample) + sample.bytes;
    pes.span += sample.duration;
    ++pes.count;
    step();
  } while (at_ < samples_.size() && (!counts(samples_[at_]) || joins(pes)));
  pes.is_last = pes.first + pes.count > last_;
  return true;
}

std::uint32_t pes_header_bytes(const mp4::TrackIndex& index, const TsPes& pes) {
  if (pes.composition_offset == 0) return kHeaderBytes;
  const bool differ =
      ts_ticks(pes.decode_time + pes.composition_offset, index.timescale) != ts_ticks(pes.decode_time, index.timescale);
  return differ ? kHeaderWithDecodeTimeBytes : kHeaderBytes;
}

std::uint32_t reference_packets(const mp4::TrackIndex& index, const TsPes& pes) {
  if (pes.span * kTsClockRate <= kTsReferenceTicks * std::uint64_t{index.timescale}) return 0;
  const std::int64_t begin = ts_ticks(pes.decode_time, index.timescale);
  const std::int64_t end = ts_ticks(pes.decode_time + static_cast<std::int64_t>(pes.span), index.timescale);
  const std::int64_t count = (end - begin - 1) / kTsReferenceTicks;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(count, kTsReferencesMax));
}

}  // namespace reelway::origin::hls
