#include "origin/hls/subsamples.h"

#include <algorithm>
#include <string>

namespace reelway::origin::hls {
namespace {

constexpr std::uint64_t kBlock = 16;
constexpr std::uint64_t kClearMax = UINT16_MAX;
constexpr std::size_t kSubsampleBytes = 6;

Error damaged(std::size_t sample, const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false,
          "sample " + std::to_string(sample) + " of the segment: " + what};
}

}  // namespace

Bytes serialize_subsamples(const SubsampleMap& map) {
  ByteWriter out;
  out.append(map.counts);
  for (const Subsample& subsample : map.subsamples) {
    out.u16(subsample.clear);
    out.u32(subsample.encrypted);
  }
  return out.take();
}

std::optional<SubsampleMap> parse_subsamples(ByteView bytes, const std::vector<std::uint32_t>& sample_bytes) {
  ByteReader in(bytes);
  SubsampleMap map;
  const ByteView counts = in.take(sample_bytes.size());
  if (in.failed()) return std::nullopt;
  map.counts.assign(counts.begin(), counts.end());
  map.subsamples.reserve(in.remaining() / kSubsampleBytes);
  for (std::size_t sample = 0; sample < sample_bytes.size(); ++sample) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < counts[sample]; ++i) {
      const std::uint16_t clear = in.u16();
      map.subsamples.push_back({clear, in.u32()});
      sum += std::uint64_t{clear} + map.subsamples.back().encrypted;
    }
    if (sum != sample_bytes[sample]) return std::nullopt;
  }
  return in.failed() || !in.at_end() ? std::nullopt : std::optional(std::move(map));
}

SubsampleScan::SubsampleScan(std::unique_ptr<mp4::SliceHeaders> headers, Protection protection,
                             std::vector<std::uint32_t> sample_bytes)
    : headers_(std::move(headers)), protection_(protection), sample_bytes_(std::move(sample_bytes)) {
  if (!sample_bytes_.empty()) sample_end_ = sample_bytes_.front();
}

Result<void> SubsampleScan::look(ByteView media) {
  const std::uint64_t begin = at_;
  while (!done() && at_ - begin <= media.size()) {
    const auto looked = look_at_unit(media.subspan(static_cast<std::size_t>(at_ - begin)));
    if (!looked) return looked.error();
    if (!*looked) break;
  }
  return {};
}

// False when more of the unit has to be seen.
Result<bool> SubsampleScan::look_at_unit(ByteView media) {
  const std::uint64_t left = sample_end_ - at_;
  if (left == 0) {  // an empty sample
    REELWAY_TRY(end_sample());
    return true;
  }
  const std::size_t length_bytes = headers_->length_bytes();
  if (left < length_bytes) return damaged(sample_, "ends within a NAL unit's length");
  if (media.size() < length_bytes) return false;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) bytes = bytes << 8 | media[i];
  if (bytes > left - length_bytes) return damaged(sample_, "a NAL unit ends after its sample");
  const std::uint64_t head = std::min<std::uint64_t>(bytes, mp4::SliceHeaders::kHeadBytesMax);
  if (media.size() - length_bytes < head) return false;
  std::uint64_t clear = 0;
  if (bytes > 0) {
    const auto found = headers_->clear_bytes(media.subspan(length_bytes, static_cast<std::size_t>(head)), bytes);
    if (!found) return found.error();
    clear = std::min(*found, bytes);
  }
  add(length_bytes + clear, bytes - clear);
  at_ += length_bytes + bytes;
  if (at_ == sample_end_) REELWAY_TRY(end_sample());
  return true;
}

void SubsampleScan::add(std::uint64_t clear, std::uint64_t encrypted) {
  const std::uint64_t over = protection_ == Protection::cenc ? encrypted % kBlock : 0;
  encrypted -= over;
  clear_ += clear + over;
  // A run of less than a block has none to encrypt.
  if (encrypted < kBlock) {
    clear_ += encrypted;
    return;
  }
  for (; clear_ > kClearMax; clear_ -= kClearMax, ++count_) map_.subsamples.push_back({kClearMax, 0});
  map_.subsamples.push_back({static_cast<std::uint16_t>(clear_), static_cast<std::uint32_t>(encrypted)});
  ++count_;
  clear_ = 0;
}

Result<void> SubsampleScan::end_sample() {
  for (; clear_ > 0; ++count_) {
    const std::uint64_t clear = std::min(clear_, kClearMax);
    map_.subsamples.push_back({static_cast<std::uint16_t>(clear), 0});
    clear_ -= clear;
  }
  if (count_ > kSubsamplesMax) {
    return Error{ErrorCode::media_unsupported, Side::self, false,
                 "a picture of more than " + std::to_string(kSubsamplesMax) + " slices cannot be protected"};
  }
  map_.counts.push_back(static_cast<std::uint8_t>(count_));
  count_ = 0;
  if (++sample_ < sample_bytes_.size()) sample_end_ += sample_bytes_[sample_];
  return {};
}

}  // namespace reelway::origin::hls
