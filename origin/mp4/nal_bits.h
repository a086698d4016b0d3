#pragma once

#include <cstdint>

#include "common/base/bytes.h"

namespace reelway::origin::mp4 {

// Reads the bits of a NAL unit as it lies in a file: the bytes 0x03 that keep start codes out of it (H.264
// section 7.4.1, H.265 section 7.4.2) are passed over. A read past the end sets failed() and returns zeros.
class NalBits {
 public:
  explicit NalBits(ByteView nal) : nal_(nal) {}

  bool flag() { return bits(1) != 0; }
  std::uint32_t bits(unsigned count) {  // at most 32
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) value = value << 1 | bit();
    return value;
  }
  void skip(std::size_t count) {
    for (std::size_t i = 0; i < count && !failed_; ++i) bit();
  }
  std::uint32_t ue() {  // Exp-Golomb (section 9.1 of H.264, 9.2 of H.265)
    unsigned zeros = 0;
    while (!failed_ && bit() == 0) ++zeros;
    if (zeros > 31) failed_ = true;
    return failed_ ? 0 : (1u << zeros) - 1 + bits(zeros);
  }
  std::int32_t se() {
    const std::uint32_t code = ue();
    const auto half = static_cast<std::int32_t>(code / 2);
    return code % 2 == 0 ? -half : half + 1;
  }

  bool failed() const { return failed_; }
  // Bytes of the NAL unit that were read, the last one perhaps in part.
  std::size_t bytes_read() const { return next_; }

 private:
  std::uint32_t bit() {
    if (left_ == 0 && !load()) return 0;
    --left_;
    return byte_ >> left_ & 1u;
  }
  bool load() {
    if (zeros_ >= 2 && next_ < nal_.size() && nal_[next_] == 3) {
      ++next_;
      zeros_ = 0;
    }
    if (next_ >= nal_.size()) {
      failed_ = true;
      return false;
    }
    byte_ = nal_[next_++];
    zeros_ = byte_ == 0 ? zeros_ + 1 : 0;
    left_ = 8;
    return true;
  }

  ByteView nal_;
  std::size_t next_ = 0;
  std::uint32_t byte_ = 0;
  unsigned left_ = 0;  // bits of byte_
  unsigned zeros_ = 0;
  bool failed_ = false;
};

// The least count of bits that can tell `values` apart.
constexpr unsigned bits_for(std::uint64_t values) {
  unsigned count = 0;
  while ((std::uint64_t{1} << count) < values) ++count;
  return count;
}

}  // namespace reelway::origin::mp4
