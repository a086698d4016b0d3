#include "common/http/content_coding.h"

#include "common/http/message.h"

namespace reelway::http {

CodingCheck::CodingCheck(std::string_view content_encoding) {
  const std::size_t comma = content_encoding.rfind(',');
  const std::string_view last =
      trimmed(comma == std::string_view::npos ? content_encoding : content_encoding.substr(comma + 1));
  if (!names_equal(last, "gzip") && !names_equal(last, "x-gzip")) return;
  // RFC 1952 section 2.3: two bytes of magic, the method deflate, and three flags that must not be set.
  start_ = {{{0xff, 0x1f}, {0xff, 0x8b}, {0xff, 0x08}, {0xe0, 0x00}}};
  start_bytes_ = start_.size();
}

bool CodingCheck::feed(ByteView piece) {
  for (std::size_t at = 0; at < piece.size() && seen_bytes_ < start_bytes_; ++at, ++seen_bytes_) {
    if ((piece[at] & start_[seen_bytes_].mask) != start_[seen_bytes_].value) wrong_ = true;
  }
  return !wrong_;
}

}  // namespace reelway::http
