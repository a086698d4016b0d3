#pragma once

#include <cstdint>
#include <functional>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::origin {

// Finds where each JPEG of a file ends, in which one follows the other (ISO/IEC 10918-1, annex B): marker by marker, so
// that a marker's bytes within a segment's data are not taken for one. Holds no bytes. Pure; any input is safe.
class JpegCutter {
 public:
  struct Image {
    std::uint32_t bytes = 0;
    std::uint32_t crc32c = 0;
  };
  static constexpr std::uint32_t kImageBytesMax = 16 << 20;

  explicit JpegCutter(std::function<void(const Image&)> on_image) : on_image_(std::move(on_image)) {}

  // The file's next piece. transcode_failed when it is no JPEG, or a longer one than kImageBytesMax.
  Result<void> add(ByteView piece);
  // After the last piece: transcode_failed when an image has not ended.
  Result<void> finish() const;

 private:
  enum class At : std::uint8_t { start, start_code, marker, code, length_high, length_low, data, scan, scan_code };

  Result<void> step(std::uint8_t byte);
  Result<void> take_code(std::uint8_t code);

  std::function<void(const Image&)> on_image_;
  At at_ = At::start;
  std::uint8_t code_ = 0;
  std::uint32_t left_ = 0;  // of a segment's data
  bool ended_ = false;      // with the byte just taken
  Image image_;             // as far as it is read
};

}  // namespace reelway::origin
