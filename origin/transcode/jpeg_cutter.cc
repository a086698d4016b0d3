#include "origin/transcode/jpeg_cutter.h"

#include "common/base/crc32c.h"

namespace reelway::origin {
namespace {

constexpr std::uint8_t kMark = 0xFF, kStartOfImage = 0xD8, kEndOfImage = 0xD9, kStartOfScan = 0xDA;
constexpr std::uint8_t kRestartFirst = 0xD0, kRestartLast = 0xD7;

Error no_jpeg(const char* what) {
  return {ErrorCode::transcode_failed, Side::self, false, std::string("thumbnails are no JPEG: ") + what};
}

}  // namespace

Result<void> JpegCutter::add(ByteView piece) {
  std::size_t begun = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (image_.bytes == kImageBytesMax) return no_jpeg("one has more than 16 MiB");
    REELWAY_TRY(step(piece[i]));
    ++image_.bytes;
    if (!ended_) continue;
    image_.crc32c = crc32c(piece.subspan(begun, i + 1 - begun), image_.crc32c);
    on_image_(image_);
    image_ = {};
    ended_ = false;
    begun = i + 1;
  }
  image_.crc32c = crc32c(piece.subspan(begun), image_.crc32c);
  return {};
}

Result<void> JpegCutter::finish() const {
  return image_.bytes == 0 ? Result<void>() : no_jpeg("the last one is cut short");
}

Result<void> JpegCutter::step(std::uint8_t byte) {
  switch (at_) {
    case At::start:
      if (byte != kMark) return no_jpeg("it does not begin with a marker");
      at_ = At::start_code;
      return {};
    case At::start_code:
      if (byte != kStartOfImage) return no_jpeg("it does not begin with SOI");
      at_ = At::marker;
      return {};
    case At::marker:
      if (byte != kMark) return no_jpeg("a marker is missing");
      at_ = At::code;
      return {};
    case At::code: return take_code(byte);
    case At::length_high:
      left_ = byte * 256u;
      at_ = At::length_low;
      return {};
    case At::length_low:
      left_ += byte;
      if (left_ < 2) return no_jpeg("a segment has no length");
      left_ -= 2;
      at_ = left_ > 0 ? At::data : code_ == kStartOfScan ? At::scan : At::marker;
      return {};
    case At::data:
      if (--left_ == 0) at_ = code_ == kStartOfScan ? At::scan : At::marker;
      return {};
    case At::scan:
      if (byte == kMark) at_ = At::scan_code;
      return {};
    case At::scan_code:
      // A zero says that the byte before was data; restarts are within a scan; marks may fill up.
      if (byte == 0 || (byte >= kRestartFirst && byte <= kRestartLast)) {
        at_ = At::scan;
        return {};
      }
      return take_code(byte);
  }
  return {};
}

Result<void> JpegCutter::take_code(std::uint8_t code) {
  if (code == kMark) return {};
  if (code == kEndOfImage) {
    ended_ = true;
    at_ = At::start;
    return {};
  }
  if (code == 0 || code == kStartOfImage) return no_jpeg("an image begins within another");
  code_ = code;
  at_ = At::length_high;
  return {};
}

}  // namespace reelway::origin
