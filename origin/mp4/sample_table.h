#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::origin::mp4 {

// About 24 hours of AAC, 19 hours of video at 60 frames per second.
inline constexpr std::uint32_t kSamplesMax = 1u << 22;
inline constexpr std::uint32_t kSampleBytesMax = INT32_MAX;

struct Sample {
  std::uint32_t bytes = 0;
  std::uint32_t duration = 0;           // in the track's timescale
  std::int32_t composition_offset = 0;  // presentation time minus decode time, the least of a track is 0
  bool sync = true;
  bool operator==(const Sample&) const = default;
};

// The samples of a track, packed to about two bytes each, in memory as on the disk (docs/formats/track_index.md), in
// blocks of kBlockSamples that are unpacked one at a time. Immutable but for assignment.
class SampleTable {
 public:
  static constexpr std::size_t kBlockSamples = 128;

  SampleTable() = default;
  // What a packed sample cannot say is a programmer's fault: at most kSamplesMax samples, sizes and durations up to
  // INT32_MAX, composition offsets of at least 0.
  explicit SampleTable(std::span<const Sample> samples);
  // From the stored form. index_malformed unless it is exactly `count` samples within those bounds.
  static Result<SampleTable> parse(ByteView packed, std::uint32_t count);
  ByteView packed() const { return ByteView(blob_).first(packed_bytes_); }

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  Sample operator[](std::size_t i) const;
  Sample front() const { return (*this)[0]; }
  Sample back() const { return (*this)[count_ - 1]; }
  // Without unpacking the block.
  std::int32_t composition_offset(std::size_t i) const;
  bool is_sync(std::size_t i) const;
  std::vector<Sample> range(std::size_t first, std::size_t count) const;
  std::vector<Sample> all() const { return range(0, count_); }
  std::uint64_t memory_bytes() const { return blob_.capacity() + places_.capacity() * sizeof(places_[0]); }

  bool operator==(const SampleTable& other) const { return count_ == other.count_ && blob_ == other.blob_; }

 private:
  void close();  // after the last block: room behind it, so that eight bytes may be read at any packed bit
  std::size_t block_samples(std::size_t block) const;

  Bytes blob_;
  std::size_t packed_bytes_ = 0;
  std::vector<std::uint32_t> places_;  // of each block in the blob
  std::uint32_t count_ = 0;
};

}  // namespace reelway::origin::mp4
