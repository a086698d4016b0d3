#include "origin/hls/protected_segment.h"

#include <algorithm>
#include <cstring>

#include "common/base/check.h"
#include "origin/hls/sample_cipher.h"
#include "origin/hls/segment.h"
#include "origin/hls/subsamples.h"

// Model: first, unless notes spare it, the media is looked through for subsamples. Then the header is computed, and the
// media goes by in pieces, each copied to the output and encrypted there. A run (what is encrypted of a subsample) may
// fall into several pieces; the cuts are put where the cipher can go on. Positions are from the segment's first byte of
// media.

namespace reelway::origin::hls {
namespace {

constexpr std::size_t kIvBytes = 8;        // of cenc, as senc has it
constexpr std::size_t kVideoPattern = 10;  // cbcs: one block of ten (ISO/IEC 23001-7 section 10.4.2)
constexpr std::size_t kHeaderBytesMax = SegmentMaker::kOutputBytesMax - SegmentMaker::kInputBytesMax;

struct Run {
  std::uint64_t begin = 0;
  std::uint32_t bytes = 0;
  std::uint32_t sample = 0;
  std::uint64_t end() const { return begin + bytes; }
};

std::vector<std::uint32_t> sample_sizes(const mp4::TrackIndex& index, SegmentUnits units) {
  std::vector<std::uint32_t> sizes;
  for (const mp4::Sample& sample : mp4::samples_of(index, units.first, units.count)) sizes.push_back(sample.bytes);
  return sizes;
}

std::vector<Run> whole_samples(const std::vector<std::uint32_t>& sizes) {
  std::vector<Run> runs;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > 0) runs.push_back({at, sizes[i], static_cast<std::uint32_t>(i)});
    at += sizes[i];
  }
  return runs;
}

std::vector<Run> runs_of(const SubsampleMap& map) {
  std::vector<Run> runs;
  std::uint64_t at = 0;
  auto subsample = map.subsamples.begin();
  for (std::size_t i = 0; i < map.counts.size(); ++i) {
    for (const auto end = subsample + map.counts[i]; subsample != end; ++subsample) {
      at += subsample->clear;
      if (subsample->encrypted > 0) runs.push_back({at, subsample->encrypted, static_cast<std::uint32_t>(i)});
      at += subsample->encrypted;
    }
  }
  return runs;
}

class ProtectedSegment final : public SegmentMaker {
 public:
  ProtectedSegment(const SegmentOrder& order, std::unique_ptr<mp4::SliceHeaders> headers)
      : index_(order.index),
        units_(segment_units(order.index, order.units_per_segment, order.segment)),
        segment_(order.segment),
        protection_(traits(order.packaging).protection),
        key_(*order.key),
        sizes_(sample_sizes(index_, units_)) {
    const mp4::Unit& last = index_.units[units_.first + units_.count - 1];
    begin_ = index_.units[units_.first].file_offset;
    media_bytes_ = last.file_offset + last.file_bytes - begin_;
    const bool video = index_.kind == mp4::TrackKind::video;
    cipher_ = protection_ == Protection::cenc ? ctr_cipher(key_) : cbc_cipher(key_, video ? kVideoPattern : 1);
    if (!video) {
      runs_ = whole_samples(sizes_);
      begin_writing();
    } else if (auto known = parse_subsamples(order.notes, sizes_)) {
      use(std::move(*known));
    } else {
      scan_.emplace(std::move(headers), protection_, sizes_);
    }
  }

  Input next() const override {
    if (scan_) return {begin_ + scan_->next(), std::min<std::uint64_t>(kInputBytesMax, media_bytes_ - scan_->next())};
    if (header_.size() - header_written_ > kHeaderBytesMax) return {begin_, 1};
    return {begin_ + at_, piece_end_ - at_};
  }

  Result<std::size_t> take(ByteView media, std::span<std::uint8_t> output) override {
    if (scan_) {
      REELWAY_TRY(scan_->look(media));
      if (scan_->done()) {
        use(scan_->take());
        scan_.reset();
      }
      return std::size_t{0};
    }
    const std::size_t header = std::min(header_.size() - header_written_, output.size());
    std::memcpy(output.data(), header_.data() + header_written_, header);
    const bool only_header = header_.size() - header_written_ > kHeaderBytesMax;
    header_written_ += header;
    if (only_header) return header;
    CHECK(media.size() == piece_end_ - at_ && header + media.size() <= output.size());
    std::memcpy(output.data() + header, media.data(), media.size());
    encrypt(output.subspan(header, media.size()));
    at_ = piece_end_;
    piece_end_ = end_of_piece();
    return header + media.size();
  }

  Bytes notes() const override { return notes_; }

 private:
  void use(SubsampleMap map) {
    runs_ = runs_of(map);
    notes_ = serialize_subsamples(map);
    if (notes_.size() > kNotesBytesMax) notes_.clear();
    map_ = std::move(map);
    begin_writing();
  }

  void begin_writing() {
    const SampleAuxiliary auxiliary = auxiliary_of();
    header_ = segment_header(index_, units_, segment_, &auxiliary);
    map_ = {};
    piece_end_ = end_of_piece();
  }

  SampleAuxiliary auxiliary_of() const {
    SampleAuxiliary auxiliary;
    auxiliary.has_subsamples = !map_.counts.empty();
    ByteWriter out;
    auto subsample = map_.subsamples.begin();
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      const std::size_t before = out.size();
      if (protection_ == Protection::cenc) out.append(ByteView(iv_of(i)).first(kIvBytes));
      if (auxiliary.has_subsamples) {
        out.u16(map_.counts[i]);
        for (const auto end = subsample + map_.counts[i]; subsample != end; ++subsample) {
          out.u16(subsample->clear);
          out.u32(subsample->encrypted);
        }
      }
      auxiliary.sizes.push_back(static_cast<std::uint8_t>(out.size() - before));
    }
    auxiliary.entries = out.take();
    return auxiliary;
  }

  Iv iv_of(std::size_t sample) const {
    if (protection_ != Protection::cenc) return key_.iv;
    return cenc_iv(key_, std::uint64_t{index_.units[units_.first].first_sample} + sample);
  }

  // As much as may be asked for at once, but no run is cut where its cipher could not go on.
  std::uint64_t end_of_piece() const {
    const std::uint64_t end = std::min<std::uint64_t>(at_ + kInputBytesMax, media_bytes_);
    for (std::size_t i = run_; i < runs_.size() && runs_[i].begin < end; ++i) {
      if (runs_[i].end() > end) return end - (end - runs_[i].begin) % cipher_->part_bytes();
    }
    return end;
  }

  // The piece that begins at at_ and ends at piece_end_.
  void encrypt(std::span<std::uint8_t> piece) {
    for (; run_ < runs_.size() && runs_[run_].begin < piece_end_; ++run_) {
      const Run& run = runs_[run_];
      if (run.begin >= at_) begin(run);
      const std::uint64_t from = std::max(run.begin, at_), to = std::min(run.end(), piece_end_);
      cipher_->encrypt(piece.subspan(static_cast<std::size_t>(from - at_), static_cast<std::size_t>(to - from)));
      if (run.end() > piece_end_) return;
    }
  }

  void begin(const Run& run) {
    if (run.sample != sample_) cipher_->begin_sample(iv_of(run.sample));
    sample_ = run.sample;
    cipher_->begin_run();
  }

  const mp4::TrackIndex& index_;
  const SegmentUnits units_;
  const std::uint32_t segment_;
  const Protection protection_;
  const ContentKey key_;
  const std::vector<std::uint32_t> sizes_;     // of the samples
  std::uint64_t begin_ = 0, media_bytes_ = 0;  // in the track file
  std::unique_ptr<SampleCipher> cipher_;
  std::optional<SubsampleScan> scan_;  // until the subsamples are known
  SubsampleMap map_;                   // until the header is computed
  Bytes notes_;
  Bytes header_;
  std::size_t header_written_ = 0;
  std::vector<Run> runs_;
  std::size_t run_ = 0;                // the first that is not wholly encrypted
  std::uint32_t sample_ = UINT32_MAX;  // that the cipher is at
  std::uint64_t at_ = 0, piece_end_ = 0;
};

}  // namespace

std::array<std::uint8_t, 16> cenc_iv(const ContentKey& key, std::uint64_t sample) {
  std::array<std::uint8_t, 16> iv{};
  const std::uint64_t value = std::uint64_t{key.track} << 48 | (sample + 1);
  for (std::size_t i = 0; i < kIvBytes; ++i) iv[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  return iv;
}

Result<std::unique_ptr<SegmentMaker>> make_protected_segment(const SegmentOrder& order) {
  CHECK(order.key != nullptr);
  std::unique_ptr<mp4::SliceHeaders> headers;
  if (order.index.kind == mp4::TrackKind::video) {
    auto made = mp4::slice_headers_of(order.index.sample_entry);
    if (!made) return Error{ErrorCode::packaging_not_offered, Side::client, false, made.error().detail};
    headers = std::move(made).value();
  }
  return std::unique_ptr<SegmentMaker>(std::make_unique<ProtectedSegment>(order, std::move(headers)));
}

}  // namespace reelway::origin::hls
