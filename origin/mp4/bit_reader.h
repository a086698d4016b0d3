#pragma once

#include <cstdint>

#include "common/base/bytes.h"

namespace reelway::origin::mp4 {

// Reads bits, the highest of a byte first. A read past the end sets failed() and returns zeros.
class BitReader {
 public:
  explicit BitReader(ByteView view) : view_(view) {}

  std::uint32_t bits(unsigned count) {  // at most 32
    if (count > remaining()) {
      failed_ = true;
      position_ = view_.size() * 8;
      return 0;
    }
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i, ++position_) {
      value = value << 1 | (view_[position_ / 8] >> (7 - position_ % 8) & 1u);
    }
    return value;
  }
  bool flag() { return bits(1) != 0; }
  std::size_t remaining() const { return view_.size() * 8 - position_; }
  bool failed() const { return failed_; }

 private:
  ByteView view_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace reelway::origin::mp4
