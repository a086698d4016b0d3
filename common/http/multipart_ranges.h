#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/range.h"

namespace reelway::http {

// The frame around several ranges of one object in a 206 (multipart/byteranges, RFC 9110 section 14.6): for each part
// its head and then its bytes, and after the last one the closing line.
class MultipartRanges {
 public:
  // `boundary`: of letters and digits, at most 70, and not to be met in the object's bytes, so chosen at random.
  // `content_type` is the object's, and may be empty; `length` is its length.
  MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t length, std::string_view content_type,
                  std::string_view boundary);

  const std::vector<ByteRange>& ranges() const { return ranges_; }
  std::string content_type() const;  // of the answer
  std::uint64_t content_length() const;
  std::string part_head(std::size_t index) const;
  std::string closing() const;

 private:
  std::vector<ByteRange> ranges_;
  std::uint64_t length_;
  std::string content_type_;
  std::string boundary_;
};

}  // namespace reelway::http
