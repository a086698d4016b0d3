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

std::string decide_several(std::string_view header, std::uint64_t length) {
  const RangesDecision decision = decide_ranges(header, length);
  if (std::holds_alternative<WholeObject>(decision)) return "whole";
  if (std::holds_alternative<Unsatisfiable>(decision)) return "unsatisfiable";
  std::string text;
  for (const ByteRange& range : std::get<std::vector<ByteRange>>(decision)) {
    text += (text.empty() ? "" : " ") + std::to_string(range.first) + "+" + std::to_string(range.count);
  }
  return text;
}

TEST(DecideRanges, SeveralAreTakenInTheOrderAskedFor) {
  EXPECT_EQ(decide_several("bytes=0-1", 1000), "0+2");
  EXPECT_EQ(decide_several("bytes=0-1,500-999, -1", 1000), "0+2 500+500");
  EXPECT_EQ(decide_several("bytes=500-501 , 0-1", 1000), "500+2 0+2");
  EXPECT_EQ(decide_several("bytes=,0-0,,2-2,", 1000), "0+1 2+1");
}

TEST(DecideRanges, OverlappingAndTouchingBecomeOne) {
  EXPECT_EQ(decide_several("bytes=0-9,5-14", 1000), "0+15");
  EXPECT_EQ(decide_several("bytes=0-9,10-19", 1000), "0+20");
  EXPECT_EQ(decide_several("bytes=100-,50-60,0-,0-", 1000), "0+1000");
  EXPECT_EQ(decide_several("bytes=900-,10-20,15-25", 1000), "10+16 900+100");
}

TEST(DecideRanges, WhatCannotBeSatisfiedIsLeftOut) {
  EXPECT_EQ(decide_several("bytes=0-1,1000-", 1000), "0+2");
  EXPECT_EQ(decide_several("bytes=1000-,2000-2001", 1000), "unsatisfiable");
  EXPECT_EQ(decide_several("bytes=-0", 1000), "unsatisfiable");
}

TEST(DecideRanges, OneThatIsNotUnderstoodSpoilsAll) {
  for (const char* header :
       {"", "bytes=", "bytes=,", "bytes=0-1,a-b", "bytes=0-1,5-4", "items=0-1,3-4", "bytes=0-1;3-4"}) {
    EXPECT_EQ(decide_several(header, 1000), "whole") << header;
  }
}

TEST(DecideRanges, TooManyAreIgnored) {
  std::string header = "bytes=0-0";
  for (std::size_t i = 1; i < kRangesMax; ++i) header += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(std::get<std::vector<ByteRange>>(decide_ranges(header, 1000)).size(), kRangesMax);
  EXPECT_EQ(decide_several(header + ",900-901", 1000), "whole");
}

}  // namespace
}  // namespace reelway::http
