#include "common/http/multipart_ranges.h"

#include <utility>

#include "common/base/check.h"

namespace reelway::http {

MultipartRanges::MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t length, std::string_view content_type,
                                 std::string_view boundary)
    : ranges_(std::move(ranges)), length_(length), content_type_(content_type), boundary_(boundary) {
  CHECK(!boundary_.empty() && boundary_.size() <= 70);
}

std::string MultipartRanges::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

std::uint64_t MultipartRanges::content_length() const {
  std::uint64_t total = closing().size();
  for (std::size_t i = 0; i < ranges_.size(); ++i) total += part_head(i).size() + ranges_[i].count;
  return total;
}

std::string MultipartRanges::part_head(std::size_t index) const {
  std::string head = index == 0 ? "--" : "\r\n--";
  head.append(boundary_).append("\r\n");
  if (!content_type_.empty()) head.append("Content-Type: ").append(content_type_).append("\r\n");
  return head.append("Content-Range: ").append(content_range(ranges_[index], length_)).append("\r\n\r\n");
}

std::string MultipartRanges::closing() const {
  return "\r\n--" + boundary_ + "--\r\n";
}

}  // namespace reelway::http
