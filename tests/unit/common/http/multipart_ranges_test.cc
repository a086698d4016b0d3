#include "common/http/multipart_ranges.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

TEST(MultipartRanges, FramesEachRangeAndCountsEveryByte) {
  const std::string object = "0123456789";
  const MultipartRanges parts({{0, 2}, {7, 3}}, object.size(), "text/plain", "b0undary");
  std::string body;
  for (std::size_t i = 0; i < parts.ranges().size(); ++i) {
    body += parts.part_head(i) + object.substr(parts.ranges()[i].first, parts.ranges()[i].count);
  }
  body += parts.closing();
  EXPECT_EQ(body,
            "--b0undary\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
            "\r\n--b0undary\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n789"
            "\r\n--b0undary--\r\n");
  EXPECT_EQ(parts.content_length(), body.size());
  EXPECT_EQ(parts.content_type(), "multipart/byteranges; boundary=b0undary");
}

TEST(MultipartRanges, AnObjectWithoutTypeHasPartsWithoutOne) {
  const MultipartRanges parts({{0, 1}, {2, 1}}, 3, "", "b");
  EXPECT_EQ(parts.part_head(0), "--b\r\nContent-Range: bytes 0-0/3\r\n\r\n");
}

}  // namespace
}  // namespace reelway::http
