#include "common/http/range.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

std::string decide(std::string_view header, std::uint64_t length) {
  const RangeDecision decision = decide_range(header, length);
  if (std::holds_alternative<WholeObject>(decision)) return "whole";
  if (std::holds_alternative<Unsatisfiable>(decision)) return "unsatisfiable";
  return content_range(std::get<ByteRange>(decision), length);
}

TEST(DecideRange, FirstAndLast) {
  EXPECT_EQ(decide("bytes=0-99", 1000), "bytes 0-99/1000");
  EXPECT_EQ(decide("bytes=0-0", 1000), "bytes 0-0/1000");
  EXPECT_EQ(decide("bytes=999-999", 1000), "bytes 999-999/1000");
  EXPECT_EQ(decide("bytes=500-", 1000), "bytes 500-999/1000");
  EXPECT_EQ(decide("bytes=500-5000", 1000), "bytes 500-999/1000");
  EXPECT_EQ(decide("BYTES=1-2", 1000), "bytes 1-2/1000");
  EXPECT_EQ(decide("bytes = 1-2 ", 1000), "bytes 1-2/1000");
}

TEST(DecideRange, Suffix) {
  EXPECT_EQ(decide("bytes=-1", 1000), "bytes 999-999/1000");
  EXPECT_EQ(decide("bytes=-1000", 1000), "bytes 0-999/1000");
  EXPECT_EQ(decide("bytes=-5000", 1000), "bytes 0-999/1000");
  EXPECT_EQ(decide("bytes=-0", 1000), "unsatisfiable");
}

TEST(DecideRange, OutsideTheObject) {
  EXPECT_EQ(decide("bytes=1000-", 1000), "unsatisfiable");
  EXPECT_EQ(decide("bytes=1000-1001", 1000), "unsatisfiable");
}

TEST(DecideRange, EmptyObject) {
  EXPECT_EQ(decide("bytes=0-", 0), "unsatisfiable");
  EXPECT_EQ(decide("bytes=-5", 0), "whole");
}

TEST(DecideRange, NumbersBeyond64Bits) {
  EXPECT_EQ(decide("bytes=0-99999999999999999999999", 1000), "bytes 0-999/1000");
  EXPECT_EQ(decide("bytes=99999999999999999999999-", 1000), "unsatisfiable");
  EXPECT_EQ(decide("bytes=-99999999999999999999999", 1000), "bytes 0-999/1000");
  EXPECT_EQ(decide("bytes=18446744073709551615-18446744073709551615", UINT64_MAX), "unsatisfiable");
  EXPECT_EQ(decide("bytes=0-18446744073709551615", UINT64_MAX), "bytes 0-18446744073709551614/18446744073709551615");
}

// RFC 9110 section 14.2: what is not understood is ignored, and so are several ranges.
TEST(DecideRange, IgnoredForms) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-4", "bytes=1-2,4-5",
                             "bytes=1-2,", "bytes=--1", "bytes=1--2", "bytes=+1-2", "bytes=1- 2", "items=0-1",
                             "bytes=0x1-2", "bytes:0-1", "bytes=1-2;q=1"}) {
    EXPECT_EQ(decide(header, 1000), "whole") << header;
  }
}

}  // namespace
}  // namespace reelway::http
