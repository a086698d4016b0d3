#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/hls/packaging.h"
#include "origin/mp4/slice_headers.h"

namespace reelway::origin::hls {

// Within a sample: bytes in the clear, then encrypted ones (ISO/IEC 23001-7 section 9.5).
struct Subsample {
  std::uint16_t clear = 0;
  std::uint32_t encrypted = 0;
};

// The most a sample may have: the size of its entry in saiz has eight bits.
inline constexpr std::size_t kSubsamplesMax = 40;

// Where the samples of a segment are encrypted.
struct SubsampleMap {
  std::vector<std::uint8_t> counts;   // of each sample
  std::vector<Subsample> subsamples;  // of all samples
};

// As bytes, for whoever makes the same segment again: a count for each sample, then 16 and 32 bits for each subsample.
Bytes serialize_subsamples(const SubsampleMap& map);
// Nothing when the bytes are no map of samples of these sizes.
std::optional<SubsampleMap> parse_subsamples(ByteView bytes, const std::vector<std::uint32_t>& sample_bytes);

// Finds the subsamples of video: every NAL unit's slice data is encrypted; lengths, headers and units that are no
// slices are not. For cenc an encrypted run is a multiple of 16 bytes (section 10.1: what is over stays in the clear).
//
// Feed it the media from next() on, in pieces of any size of at least kPieceBytesMin (or up to the end).
class SubsampleScan {
 public:
  static constexpr std::size_t kPieceBytesMin = 4 + mp4::SliceHeaders::kHeadBytesMax;

  SubsampleScan(std::unique_ptr<mp4::SliceHeaders> headers, Protection protection,
                std::vector<std::uint32_t> sample_bytes);
  bool done() const { return sample_ == sample_bytes_.size(); }
  std::uint64_t next() const { return at_; }  // from the first sample's first byte
  // `media` begins at next(). stored_data_corrupt, media_unsupported.
  Result<void> look(ByteView media);
  SubsampleMap take() { return std::move(map_); }

 private:
  Result<bool> look_at_unit(ByteView media);
  void add(std::uint64_t clear, std::uint64_t encrypted);
  Result<void> end_sample();

  std::unique_ptr<mp4::SliceHeaders> headers_;
  Protection protection_;
  std::vector<std::uint32_t> sample_bytes_;
  SubsampleMap map_;
  std::size_t sample_ = 0;
  std::uint64_t at_ = 0;          // the next NAL unit's length field
  std::uint64_t sample_end_ = 0;  // of the sample at hand
  std::uint64_t clear_ = 0;       // bytes since the last encrypted one
  std::size_t count_ = 0;         // subsamples of the sample at hand
};

}  // namespace reelway::origin::hls
