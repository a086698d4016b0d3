#include "edge/net/upstream_url.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(UpstreamUrl, WhatMayStandThere) {
  const auto one = parse_upstream("http://origin.example:8081", 1);
  ASSERT_TRUE(one.ok());
  EXPECT_FALSE(one->tls);
  EXPECT_EQ(one->authority(), "origin.example:8081");
  EXPECT_EQ(one->priority, 1u);
  const auto two = parse_upstream("https://origin-b.example/ priority=3", 2);
  ASSERT_TRUE(two.ok());
  EXPECT_TRUE(two->tls);
  EXPECT_EQ(two->authority(), "origin-b.example:443");
  EXPECT_EQ(two->priority, 3u);
  const auto three = parse_upstream("http://[::1]:81", 2);
  ASSERT_TRUE(three.ok());
  EXPECT_EQ(three->host, "::1");
  EXPECT_EQ(three->authority(), "[::1]:81");
  EXPECT_EQ(three->priority, 2u);
  EXPECT_EQ(parse_upstream("http://[::1]", 2)->authority(), "[::1]:80");
}

TEST(UpstreamUrl, WhatMayNot) {
  for (const char* text : {"",
                           "origin.example",
                           "ftp://a",
                           "http://",
                           "http://:80",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:x",
                           "http://a:",
                           "http://a/path",
                           "http://a?b",
                           "http://u@a",
                           "http://[::1",
                           "http://[::1]x",
                           "http://a priority=0",
                           "http://a priority=10",
                           "http://a priority=",
                           "http://a weight=1",
                           "http://a priority=1 x",
                           "http://a "}) {
    const auto parsed = parse_upstream(text, 1);
    EXPECT_FALSE(parsed.ok()) << text;
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.error().code, ErrorCode::config_value_invalid) << text;
    }
  }
}

}  // namespace
}  // namespace reelway::edge
