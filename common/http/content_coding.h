#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"

namespace reelway::http {

// Whether a body begins as its Content-Encoding says (RFC 9110 section 8.4). Only a coding that begins with fixed bytes
// can be told, and that is gzip (RFC 1952); every other is taken as said. It finds a body that was labelled wrongly,
// which no receiver can decode; whether the rest decodes is the receiver's to find.
class CodingCheck {
 public:
  // `content_encoding` is the field's value, or empty. Of several codings the last was applied last, so its bytes lead.
  explicit CodingCheck(std::string_view content_encoding);

  // The next piece of the body, of any size; false from the byte on that the coding cannot have.
  bool feed(ByteView piece);
  // At the body's end. An empty body is right in every coding: there is nothing to decode.
  bool complete() const { return seen_bytes_ == 0 || (!wrong_ && seen_bytes_ == start_bytes_); }

 private:
  static constexpr std::size_t kStartBytes = 4;
  struct StartByte {
    std::uint8_t mask;
    std::uint8_t value;
  };

  std::array<StartByte, kStartBytes> start_{};
  std::size_t start_bytes_ = 0;
  std::size_t seen_bytes_ = 0;  // of the bytes compared
  bool wrong_ = false;
};

}  // namespace reelway::http
