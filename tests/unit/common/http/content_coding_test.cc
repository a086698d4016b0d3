#include "common/http/content_coding.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

constexpr std::string_view kGzip("\x1f\x8b\x08\x00\x00\x00", 6);

bool right(std::string_view label, std::string_view body, std::size_t piece_bytes) {
  CodingCheck check(label);
  for (std::size_t at = 0; at < body.size(); at += piece_bytes) {
    if (!check.feed(as_bytes(body.substr(at, piece_bytes)))) return false;
  }
  return check.complete();
}

TEST(CodingCheck, ABodyMustBeginAsItsLabelSays) {
  for (const std::size_t piece : {1u, 2u, 3u, 100u}) {
    EXPECT_TRUE(right("gzip", kGzip, piece));
    EXPECT_TRUE(right("X-GZIP", kGzip, piece));
    EXPECT_TRUE(right("br, gzip", kGzip, piece));
    EXPECT_FALSE(right("gzip", "#EXTM3U\n", piece));
    EXPECT_FALSE(right("gzip", std::string_view("\x1f\x8b\x08\xff", 4), piece));  // reserved flags
    EXPECT_FALSE(right("gzip", kGzip.substr(0, 3), piece));
  }
}

TEST(CodingCheck, WhatCannotBeToldIsTakenAsSaid) {
  EXPECT_TRUE(right("", "#EXTM3U\n", 3));
  EXPECT_TRUE(right("identity", "#EXTM3U\n", 3));
  EXPECT_TRUE(right("gzip, br", "anything", 3));
  EXPECT_TRUE(right("gzip", "", 1));
}

}  // namespace
}  // namespace reelway::http
