#include "origin/mp4/language.h"

#include <gtest/gtest.h>

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint16_t pack(const char (&code)[4]) {
  return static_cast<std::uint16_t>((code[0] - 0x60) << 10 | (code[1] - 0x60) << 5 | (code[2] - 0x60));
}

TEST(Language, ShortTagsBothWays) {
  EXPECT_EQ(language_tag(pack("eng")), "en");
  EXPECT_EQ(language_tag(pack("fra")), "fr");
  EXPECT_EQ(language_tag(pack("zho")), "zh");
  EXPECT_EQ(language_tag(pack("gsw")), "gsw");  // has no short code
  EXPECT_EQ(language_tag(pack("und")), "und");
  EXPECT_EQ(packed_language("en"), pack("eng"));
  EXPECT_EQ(packed_language("en-GB"), pack("eng"));
  EXPECT_EQ(packed_language("zh-Hant"), pack("zho"));
  EXPECT_EQ(packed_language("gsw"), pack("gsw"));
}

TEST(Language, WhatIsNoCodeIsUndetermined) {
  EXPECT_EQ(language_tag(0), "und");
  EXPECT_EQ(language_tag(0x7fff), "und");  // a Macintosh code
  EXPECT_EQ(packed_language(""), pack("und"));
  EXPECT_EQ(packed_language("EN"), pack("und"));
  EXPECT_EQ(packed_language("xx"), pack("und"));
  EXPECT_EQ(packed_language("qwerty"), pack("und"));
}

}  // namespace
}  // namespace reelway::origin::mp4
