#include "origin/hls/ts_segment.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "origin/hls/ts_clock.h"
#include "origin/hls/ts_program.h"
#include "origin/hls/ts_sample_aes.h"
#include "origin/hls/ts_samples.h"
#include "origin/hls/ts_schedule.h"
#include "origin/hls/ts_stream.h"
#include "origin/hls/ts_writer.h"

// Model: the schedule says which samples make a PES packet and when it is decoded; a sample's bytes go through
// TsSamples, which writes them as the elementary stream has them; the writer makes packets of that. Sizes follow from
// the schedule alone, which is what byte ranges and bit rates are computed from.

namespace reelway::origin::hls {
namespace {

using mp4::Sample;

// A picture may take half a second from its first byte to its decoding: the clock runs that much behind.
constexpr std::uint64_t kReferenceLead = 45'000;
constexpr std::uint8_t kDelimiter[kAudBytes] = {0, 0, 0, 1, 0x09, 0xf0};  // of an access unit with any slices
constexpr std::uint64_t kAdtsFrameBytesMax = 8'191;                       // its length has 13 bits
constexpr std::uint64_t kSoundFrameBytesMax = 60'000;

std::uint64_t pes_packets(std::uint64_t bytes) {
  const std::uint64_t rest = bytes - std::min<std::uint64_t>(bytes, kTsFirstPayloadBytes);
  return 1 + (rest + kTsPayloadBytes - 1) / kTsPayloadBytes;
}

// The packets of a segment, counted as the writer writes them.
class PacketCount {
 public:
  explicit PacketCount(const mp4::TrackIndex& index) : index_(index) {}
  std::uint64_t packets() const { return packets_; }

  // Returns those of the PES packet itself, with PAT and PMT.
  std::uint64_t add(const TsPes& pes) {
    std::uint64_t own = pes_packets(pes_header_bytes(index_, pes) + pes.es_bytes);
    if (pes.is_last) own += (kTsContinuityCycle - (counted_ + own) % kTsContinuityCycle) % kTsContinuityCycle;
    counted_ += own;
    if (pes.starts_unit) own += kTsProgramBytes / kTsPacketBytes;
    packets_ += own + reference_packets(index_, pes);
    return own;
  }

 private:
  const mp4::TrackIndex& index_;
  std::uint64_t packets_ = 0;
  std::uint64_t counted_ = 0;  // those with payload
};

class TsSegmentMaker final : public SegmentMaker {
 public:
  // `growth`: how many bytes two of a sample may become, at most.
  TsSegmentMaker(const mp4::TrackIndex& index, TsStream stream, const TsProgram& program, SegmentUnits units,
                 std::unique_ptr<TsSamples> samples, std::uint64_t growth)
      : index_(index),
        stream_(std::move(stream)),
        program_(program),
        schedule_(index_, stream_, units),
        writer_(stream_.codec),
        samples_(std::move(samples)),
        growth_(growth),
        offset_(index.units[units.first].file_offset) {
    next_pes();
  }

  Input next() const override { return done_ ? Input{} : Input{offset_, input_bytes()}; }
  Result<std::size_t> take(ByteView media, std::span<std::uint8_t> output) override;

 private:
  const Sample& sample() const { return schedule_.samples()[sample_]; }
  std::uint64_t input_bytes() const;
  std::uint64_t fixed_bytes(const Sample& sample) const;
  void next_pes();
  void skip_to(std::uint32_t sample);
  Result<void> begin_sample();
  void begin_pes();
  void end_sample();

  const mp4::TrackIndex& index_;
  TsStream stream_;
  TsProgram program_;
  TsSchedule schedule_;
  TsWriter writer_;
  std::unique_ptr<TsSamples> samples_;
  std::uint64_t growth_;
  TsPes pes_;  // that sample_ belongs to
  bool done_ = false;
  std::uint32_t sample_ = 0;  // whose bytes come next, among the segment's
  std::uint64_t taken_ = 0;   // of its bytes
  bool begun_ = false;        // what stands before its bytes is written
  std::uint64_t offset_;      // of the next byte, in the track file
};

// What a sample costs beside its own bytes, at most.
std::uint64_t TsSegmentMaker::fixed_bytes(const Sample& sample) const {
  const std::uint64_t references = std::uint64_t{sample.duration} * kTsClockRate / index_.timescale / kTsReferenceTicks;
  const std::uint64_t packets =
      schedule_.prefix_bytes(sample) / kTsPayloadBytes + 4;  // two that are not full, and more
  return kTsProgramBytes + (packets + std::min<std::uint64_t>(references + 1, kTsReferencesMax)) * kTsPacketBytes;
}

// As many bytes as make no more output than there is room for.
std::uint64_t TsSegmentMaker::input_bytes() const {
  // The packets that fill up the counter, and the clock of a PES packet whose last samples, without bytes, are not
  // counted here.
  constexpr std::uint64_t reserved = (kTsContinuityCycle + kTsReferencesMax) * kTsPacketBytes;
  std::uint64_t room = kOutputBytesMax - reserved;
  std::uint64_t bytes = 0;
  for (std::size_t i = sample_; i < schedule_.samples().size() && bytes < kInputBytesMax; ++i) {
    const Sample& one = schedule_.samples()[i];
    const std::uint64_t fixed = fixed_bytes(one);
    if (bytes > 0 && fixed + kTsPacketBytes > room) break;
    room -= fixed;
    const std::uint64_t left = one.bytes - (i == sample_ ? taken_ : 0);
    const std::uint64_t fit = room / kTsPacketBytes * kTsPayloadBytes * 2 / growth_;
    const std::uint64_t count = std::min({left, fit, kInputBytesMax - bytes});
    bytes += count;
    room -= (count * growth_ / 2 + kTsPayloadBytes - 1) / kTsPayloadBytes * kTsPacketBytes;
    if (count < left) break;
  }
  return bytes;
}

void TsSegmentMaker::skip_to(std::uint32_t sample) {
  for (; sample_ < sample; ++sample_) offset_ += schedule_.samples()[sample_].bytes;
}

void TsSegmentMaker::next_pes() {
  done_ = !schedule_.next(pes_);
  if (!done_) skip_to(pes_.first);
}

void TsSegmentMaker::begin_pes() {
  if (pes_.starts_unit) writer_.program(program_, pes_.unit);
  const std::uint64_t decode = ts_clock(ts_ticks(pes_.decode_time, index_.timescale));
  const std::int64_t shown = pes_.decode_time + pes_.composition_offset;
  writer_.begin({.presentation = ts_clock(ts_ticks(shown, index_.timescale)),
                 .decode = decode,
                 .reference = (decode - kReferenceLead) & kTsClockMask,
                 .random_access = stream_.codec == TsCodec::avc ? pes_.sync : pes_.starts_unit,
                 .es_bytes = pes_.es_bytes});
}

Result<void> TsSegmentMaker::begin_sample() {
  const std::uint64_t bytes = sample().bytes;
  const std::uint64_t bytes_max = stream_.codec == TsCodec::aac ? kAdtsFrameBytesMax - kAdtsBytes : kSoundFrameBytesMax;
  if (stream_.codec != TsCodec::avc && bytes > bytes_max) {
    return Error{ErrorCode::media_unsupported, Side::disk, false,
                 "a frame of sound of " + std::to_string(bytes) + " bytes, in transport streams at most " +
                     std::to_string(bytes_max)};
  }
  if (sample_ == pes_.first) begin_pes();
  if (stream_.codec == TsCodec::avc) {
    writer_.write(kDelimiter);
    if (sample().sync) writer_.write(stream_.parameter_sets);
  } else if (stream_.codec == TsCodec::aac) {
    auto header = stream_.adts;
    const std::uint64_t length = bytes + kAdtsBytes;
    header[3] |= static_cast<std::uint8_t>(length >> 11);
    header[4] = static_cast<std::uint8_t>(length >> 3);
    header[5] |= static_cast<std::uint8_t>((length & 7) << 5);
    writer_.write(header);
  }
  samples_->begin(bytes);
  begun_ = true;
  return {};
}

void TsSegmentMaker::end_sample() {
  taken_ = 0;
  begun_ = false;
  std::uint32_t following = ++sample_;
  const std::uint32_t pes_end = pes_.first + pes_.count;
  while (following < pes_end && !TsSchedule::counts(schedule_.samples()[following])) ++following;
  if (following < pes_end) return skip_to(following);
  writer_.end(pes_.is_last);
  const std::uint32_t references = reference_packets(index_, pes_);
  const std::uint64_t decode = ts_clock(ts_ticks(pes_.decode_time, index_.timescale));
  for (std::uint32_t i = 1; i <= references; ++i) {
    writer_.reference((decode - kReferenceLead + std::uint64_t{i} * kTsReferenceTicks) & kTsClockMask);
  }
  next_pes();
}

Result<std::size_t> TsSegmentMaker::take(ByteView media, std::span<std::uint8_t> output) {
  writer_.set_output(output);
  const std::uint64_t begin = offset_;  // samples that are left out make it skip some of the media
  while (!done_ && offset_ - begin < media.size()) {
    if (!begun_) REELWAY_TRY(begin_sample());
    const ByteView rest = media.subspan(static_cast<std::size_t>(offset_ - begin));
    const std::uint64_t left = sample().bytes - taken_;
    const auto count = samples_->take(rest.first(std::min<std::uint64_t>(left, rest.size())), writer_);
    if (!count) return count.error();
    taken_ += *count;
    offset_ += *count;
    if (taken_ < sample().bytes) break;
    end_sample();
  }
  return writer_.written();
}

std::unique_ptr<TsSamples> plain_samples(TsCodec codec) {
  if (codec == TsCodec::avc) return std::make_unique<PlainPictures>();
  return std::make_unique<PlainFrames>();
}

}  // namespace

bool ts_carries(const mp4::TrackIndex& index) {
  return ts_stream(index).ok();
}

Result<void> check_ts_carries(const mp4::TrackIndex& index) {
  auto stream = ts_stream(index);
  return stream ? Result<void>() : std::move(stream).error();
}

Result<Presentation> presentation_in_packaging(const Presentation& presentation, Packaging packaging) {
  Presentation carried = presentation;
  if (traits(packaging).container == Container::fmp4) return carried;
  std::erase_if(carried.tracks, [](const Track& track) { return !ts_carries(*track.index); });
  const auto shows = [](const Track& track) { return track.index->kind == mp4::TrackKind::video; };
  if (std::any_of(carried.tracks.begin(), carried.tracks.end(), shows)) return carried;
  return Error{ErrorCode::packaging_not_offered, Side::client, false,
               "transport streams carry pictures in H.264, of which this version has none"};
}

Result<std::unique_ptr<SegmentMaker>> make_ts_segment_maker(const SegmentOrder& order) {
  auto stream = ts_stream(order.index);
  if (!stream) return std::move(stream).error();
  const bool is_protected = traits(order.packaging).protection == Protection::sample_aes;
  CHECK(!is_protected || order.key != nullptr);
  const auto program =
      ts_program(*stream, order.index.codecs, is_protected ? TsProtection::sample_aes : TsProtection::none);
  if (!program) return program.error();
  const SegmentUnits units = segment_units(order.index, order.units_per_segment, order.segment);
  auto samples = is_protected ? sample_aes(stream->codec, *order.key) : plain_samples(stream->codec);
  // Emulation prevention adds one byte to every two at most.
  const std::uint64_t growth = is_protected ? 3 : 2;
  return std::unique_ptr<SegmentMaker>(
      std::make_unique<TsSegmentMaker>(order.index, std::move(*stream), *program, units, std::move(samples), growth));
}

std::uint64_t ts_segment_bytes(const mp4::TrackIndex& index, SegmentUnits units) {
  const auto stream = ts_stream(index);
  if (!stream) return 0;
  TsSchedule schedule(index, *stream, units);
  PacketCount count(index);
  for (TsPes pes; schedule.next(pes);) count.add(pes);
  return count.packets() * kTsPacketBytes;
}

std::vector<TsKeyFrame> ts_key_frames(const mp4::TrackIndex& index, SegmentUnits units) {
  const auto stream = ts_stream(index);
  if (!stream) return {};
  TsSchedule schedule(index, *stream, units);
  PacketCount count(index);
  std::vector<TsKeyFrame> frames;
  for (TsPes pes; schedule.next(pes);) {
    const std::uint64_t before = count.packets();
    const std::uint64_t own = count.add(pes);
    if (pes.starts_unit) frames.push_back({pes.unit, before * kTsPacketBytes, own * kTsPacketBytes});
  }
  return frames;
}

}  // namespace reelway::origin::hls
