#include "origin/hls/whole_segment.h"

#include <algorithm>
#include <cstring>

#include "common/base/check.h"
#include "origin/hls/sample_cipher.h"
#include "origin/hls/segment.h"

namespace reelway::origin::hls {
namespace {

// The media goes through the cipher straight into the output.
class ClearSegment final : public SegmentMaker {
 public:
  explicit ClearSegment(const SegmentOrder& order) : stream_(*order.key, order.key->iv) {
    const SegmentUnits units = segment_units(order.index, order.units_per_segment, order.segment);
    const mp4::Unit& last = order.index.units[units.first + units.count - 1];
    at_ = order.index.units[units.first].file_offset;
    end_ = last.file_offset + last.file_bytes;
    header_ = segment_header(order.index, units, order.segment, nullptr);
  }

  Input next() const override {
    if (done_) return {};
    return {at_, header_left() > kHeaderBytesMax ? 1 : std::min<std::uint64_t>(kInputBytesMax, end_ - at_)};
  }

  Result<std::size_t> take(ByteView media, std::span<std::uint8_t> output) override {
    const std::size_t part = std::min(header_left(), kHeaderBytesMax);
    const bool only_header = header_left() > kHeaderBytesMax;
    std::size_t made = stream_.update(ByteView(header_).subspan(header_written_, part), output.data());
    header_written_ += part;
    if (only_header) return made;
    CHECK(made + media.size() + 2 * CbcStream::kBlockBytes <= output.size());
    made += stream_.update(media, output.data() + made);
    at_ += media.size();
    done_ = at_ == end_;
    if (done_) made += stream_.finish(output.data() + made);
    return made;
  }

 private:
  // Leaves room for the padding.
  static constexpr std::size_t kHeaderBytesMax = kOutputBytesMax - kInputBytesMax - 4 * CbcStream::kBlockBytes;

  std::size_t header_left() const { return header_.size() - header_written_; }

  CbcStream stream_;
  Bytes header_;
  std::size_t header_written_ = 0;
  std::uint64_t at_ = 0, end_ = 0;  // in the track file
  bool done_ = false;
};

// What does not fit into the output waits; it is asked out by a byte of media that is not looked at.
class EncryptedMaker final : public SegmentMaker {
 public:
  EncryptedMaker(std::unique_ptr<SegmentMaker> maker, const ContentKey& key)
      : maker_(std::move(maker)), stream_(key, key.iv) {}

  Input next() const override {
    if (!waiting_.empty()) return {last_.offset, 1};
    return maker_->next();
  }

  Result<std::size_t> take(ByteView media, std::span<std::uint8_t> output) override {
    if (!waiting_.empty()) {
      std::copy(waiting_.begin(), waiting_.end(), output.begin());
      const std::size_t waited = waiting_.size();
      waiting_.clear();
      return waited;
    }
    static thread_local std::vector<std::uint8_t> clear(kOutputBytesMax);
    static thread_local std::vector<std::uint8_t> encrypted(kOutputBytesMax + 2 * CbcStream::kBlockBytes);
    last_ = maker_->next();
    const auto made = maker_->take(media, clear);
    if (!made) return made;
    std::size_t bytes = stream_.update(ByteView(clear).first(*made), encrypted.data());
    if (maker_->next().bytes == 0) bytes += stream_.finish(encrypted.data() + bytes);
    const std::size_t now = std::min(bytes, output.size());
    std::memcpy(output.data(), encrypted.data(), now);
    waiting_.assign(encrypted.begin() + static_cast<std::ptrdiff_t>(now),
                    encrypted.begin() + static_cast<std::ptrdiff_t>(bytes));
    return now;
  }

  Bytes notes() const override { return maker_->notes(); }

 private:
  std::unique_ptr<SegmentMaker> maker_;
  CbcStream stream_;
  Input last_;
  Bytes waiting_;
};

}  // namespace

std::unique_ptr<SegmentMaker> encrypt_clear_segment(const SegmentOrder& order) {
  CHECK(order.key != nullptr);
  return std::make_unique<ClearSegment>(order);
}

std::unique_ptr<SegmentMaker> encrypt_segment(std::unique_ptr<SegmentMaker> maker, const ContentKey& key) {
  return std::make_unique<EncryptedMaker>(std::move(maker), key);
}

Bytes encrypt_whole(ByteView bytes, const ContentKey& key) {
  CbcStream stream(key, key.iv);
  Bytes out(bytes.size() + 2 * CbcStream::kBlockBytes);
  std::size_t made = stream.update(bytes, out.data());
  made += stream.finish(out.data() + made);
  out.resize(made);
  return out;
}

}  // namespace reelway::origin::hls
