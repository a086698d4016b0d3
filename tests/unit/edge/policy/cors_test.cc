#include "edge/policy/cors.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(CorsTest, OnlyListedOriginsAreAdmittedExactly) {
  const CorsPolicy policy({"https://a.example"});
  EXPECT_NE(policy.response_lines("https://a.example").find("Access-Control-Allow-Origin: https://a.example\r\n"),
            std::string::npos);
  for (const char* other : {"http://a.example", "https://a.example:443", "https://a.example.evil", "null", ""}) {
    EXPECT_EQ(policy.response_lines(other), "Vary: Origin\r\n") << other;
    EXPECT_EQ(policy.preflight_lines(other), "") << other;
  }
  EXPECT_EQ(policy.response_lines(std::nullopt), "Vary: Origin\r\n");
}

TEST(CorsTest, AStarAdmitsAllAndNamesTheOneThatAsked) {
  const CorsPolicy policy({"*"});
  EXPECT_NE(policy.response_lines("https://b.example").find("Access-Control-Allow-Origin: https://b.example\r\n"),
            std::string::npos);
}

TEST(CorsTest, WithoutAListNothingIsSaid) {
  const CorsPolicy policy({});
  EXPECT_EQ(policy.response_lines("https://a.example"), "");
  EXPECT_EQ(policy.preflight_lines("https://a.example"), "");
}

TEST(CorsTest, APreflightIsOptionsWithOriginAndMethod) {
  http::RequestHead head;
  head.method = http::Method::options;
  EXPECT_FALSE(CorsPolicy::is_preflight(head));
  head.headers.add("Origin", "https://a.example");
  EXPECT_FALSE(CorsPolicy::is_preflight(head));
  head.headers.add("access-control-request-method", "GET");
  EXPECT_TRUE(CorsPolicy::is_preflight(head));
  head.method = http::Method::get;
  EXPECT_FALSE(CorsPolicy::is_preflight(head));
}

}  // namespace
}  // namespace reelway::edge
