#include "common/http/cache_control.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

TEST(CacheControl, ReadsDirectives) {
  const auto control = parse_cache_control("public, max-age=31536000, immutable");
  EXPECT_TRUE(control.public_);
  EXPECT_TRUE(control.immutable);
  EXPECT_EQ(control.max_age_s, 31536000u);
  EXPECT_FALSE(control.no_store);
  EXPECT_EQ(control.s_maxage_s, std::nullopt);
}

TEST(CacheControl, ReadsAllNames) {
  const auto control = parse_cache_control(
      "No-Store ,NO-CACHE,private,must-revalidate,s-maxage=1, stale-while-revalidate=2 ,stale-if-error=3");
  EXPECT_TRUE(control.no_store && control.no_cache && control.private_ && control.must_revalidate);
  EXPECT_EQ(control.s_maxage_s, 1u);
  EXPECT_EQ(control.stale_while_revalidate_s, 2u);
  EXPECT_EQ(control.stale_if_error_s, 3u);
}

TEST(CacheControl, OfARepeatedDirectiveTheSmallerHolds) {
  EXPECT_EQ(parse_cache_control("max-age=60, max-age=10").max_age_s, 10u);
  EXPECT_EQ(parse_cache_control("max-age=10, max-age=60").max_age_s, 10u);
}

TEST(CacheControl, QuotedArguments) {
  EXPECT_EQ(parse_cache_control("max-age=\"60\"").max_age_s, 60u);
  const auto control = parse_cache_control("no-cache=\"Set-Cookie, max-age=1\", max-age=5");
  EXPECT_TRUE(control.no_cache);
  EXPECT_EQ(control.max_age_s, 5u);
}

// RFC 9111 sections 1.2.2 and 4.2.1.
TEST(CacheControl, NumbersOutOfForm) {
  EXPECT_EQ(parse_cache_control("max-age=99999999999999999999").max_age_s, 2147483648u);
  EXPECT_EQ(parse_cache_control("max-age=abc").max_age_s, 0u);
  EXPECT_EQ(parse_cache_control("max-age").max_age_s, 0u);
  EXPECT_EQ(parse_cache_control("max-age=").max_age_s, 0u);
  EXPECT_EQ(parse_cache_control("max-age=-1").max_age_s, 0u);
  EXPECT_EQ(parse_cache_control("max-age=1.5").max_age_s, 0u);
}

TEST(CacheControl, UnknownAndBrokenPartsAreSkipped) {
  const auto control = parse_cache_control(",, foo, bar=\"a, no-store\", max-age=7,");
  EXPECT_FALSE(control.no_store);
  EXPECT_EQ(control.max_age_s, 7u);
  EXPECT_EQ(parse_cache_control("foo=\"max-age=1").max_age_s, std::nullopt);
  EXPECT_FALSE(parse_cache_control("").no_store);
}

TEST(CacheControl, WhatARequestAsksFor) {
  const auto control = parse_cache_control("only-if-cached, min-fresh=5, min-fresh=30, max-stale=7, max-stale");
  EXPECT_TRUE(control.only_if_cached);
  EXPECT_EQ(control.min_fresh_s, 30u);
  EXPECT_EQ(control.max_stale_s, 7u);
  EXPECT_EQ(parse_cache_control("max-stale").max_stale_s, UINT32_MAX);
  EXPECT_EQ(parse_cache_control("max-stale=x").max_stale_s, 0u);
  const auto response = parse_cache_control("proxy-revalidate, must-understand");
  EXPECT_TRUE(response.proxy_revalidate && response.must_understand);
}

}  // namespace
}  // namespace reelway::http
