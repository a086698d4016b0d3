#include "edge/policy/freshness.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/http/date.h"

namespace reelway::edge {
namespace {

constexpr std::int64_t kNowS = 1'800'000'000;
constexpr std::int64_t kNowMs = kNowS * 1000;

using Fields = std::vector<std::pair<std::string, std::string>>;

FreshnessVerdict judge(const Fields& fields, std::uint16_t status = 200) {
  http::ResponseHead head;
  head.status = status;
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return judge_response(head, kNowMs);
}

std::int64_t fresh_s(const Fields& fields) {
  const FreshnessVerdict verdict = judge(fields);
  return verdict.store ? (verdict.fresh_until_ms - kNowMs) / 1000 : -1;
}

TEST(FreshnessTest, TheLifetimeIsSharedMaxAgeThenMaxAgeThenExpires) {
  const std::string in_90s = http::format_date(kNowS + 90);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}}), 60);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60, s-maxage=30"}, {"Expires", in_90s}}), 30);
  EXPECT_EQ(fresh_s({{"Expires", in_90s}}), 90);
  EXPECT_EQ(fresh_s({{"Expires", in_90s}, {"Date", http::format_date(kNowS + 40)}}), 50);
  EXPECT_EQ(fresh_s({{"Cache-Control", "public"}, {"Cache-Control", "max-age=7"}}), 7);
}

TEST(FreshnessTest, TheAgeAtArrivalIsTakenOff) {
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Age", "20"}}), 40);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Date", http::format_date(kNowS - 25)}}), 35);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Age", "20"}, {"Date", http::format_date(kNowS - 25)}}), 35);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Date", http::format_date(kNowS + 25)}}), 60);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Age", "60"}}), -1);
  EXPECT_EQ(judge({{"Cache-Control", "max-age=60"}, {"Age", "20"}}).age_s, 20u);
}

TEST(FreshnessTest, WhatMayNotBeStoredIsNot) {
  const std::pair<std::string, std::string> lifetime{"Cache-Control", "max-age=60"};
  EXPECT_TRUE(judge({lifetime}).store);
  for (const char* directive : {"no-store", "private", "no-cache", "max-age=0", "s-maxage=0"}) {
    const FreshnessVerdict verdict = judge({lifetime, {"Cache-Control", directive}});
    EXPECT_FALSE(verdict.store) << directive;
    EXPECT_FALSE(verdict.reason.empty());
  }
  EXPECT_FALSE(judge({}).store);
  EXPECT_FALSE(judge({{"Expires", "0"}}).store);
  EXPECT_FALSE(judge({lifetime, {"Set-Cookie", "a=b"}}).store);
  EXPECT_FALSE(judge({lifetime, {"Vary", "*"}}).store);
  EXPECT_FALSE(judge({lifetime, {"Vary", "Accept-Encoding, Cookie"}}).store);
  EXPECT_TRUE(judge({lifetime, {"Vary", "Accept-Encoding"}}).store);
  for (std::uint16_t status : {203, 206, 301, 404, 500}) EXPECT_FALSE(judge({lifetime}, status).store);
}

TEST(FreshnessTest, TheTimeTheAnswerTookAddsToItsAge) {
  StoringRequest request;
  request.request_ms = kNowMs - 7'900;
  http::ResponseHead head;
  head.status = 200;
  head.headers.add("Cache-Control", "max-age=60");
  EXPECT_EQ(judge_response(request, head, kNowMs).age_s, 7u);
  head.headers.add("Age", "10");
  EXPECT_EQ(judge_response(request, head, kNowMs).age_s, 17u);
  EXPECT_EQ(describe(judge_response(request, head, kNowMs)),
            "lifetime 60 s (max-age) - age on arrival 17 s = fresh for 43 s");
}

TEST(FreshnessTest, OfAgeTheFirstMemberCounts) {
  for (const auto& [value, age] : std::vector<std::pair<std::string, std::uint32_t>>{{"20", 20},
                                                                                     {"0, 20", 0},
                                                                                     {"20, 0", 20},
                                                                                     {"abc", 0},
                                                                                     {"-20", 0},
                                                                                     {"20.0", 0},
                                                                                     {"20;foo=bar", 0},
                                                                                     {"", 0},
                                                                                     {"old, 20", 0},
                                                                                     {" 20 ,x", 20},
                                                                                     {"2147483648", 315360000}}) {
    EXPECT_EQ(judge({{"Cache-Control", "max-age=9999999999"}, {"Age", value}}).age_s, age) << value;
  }
  EXPECT_EQ(judge({{"Age", "0"}, {"Age", "7200"}}).age_s, 0u);
}

TEST(FreshnessTest, HugeLifetimesDoNotOverflow) {
  EXPECT_GT(fresh_s({{"Cache-Control", "max-age=4294967295"}}), 3'000'000);
  EXPECT_GT(fresh_s({{"Cache-Control", "max-age=99999999999999999999"}}), 3'000'000);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Age", "99999999999"}}), -1);
}

TEST(FreshnessTest, AgeAndRemainingFreshnessAreNeverNegative) {
  EXPECT_EQ(age_s(5, kNowMs, kNowMs + 2'500), 7u);
  EXPECT_EQ(age_s(5, kNowMs, kNowMs - 9'000), 5u);
  EXPECT_EQ(fresh_for_s(kNowMs + 2'900, kNowMs), 2u);
  EXPECT_EQ(fresh_for_s(kNowMs, kNowMs + 1), 0u);
}

TEST(FreshnessTest, ThePlayerMayKeepAnAnswerNoLongerThanItsTokenLives) {
  EXPECT_EQ(playback_max_age_s(100, 50), 50);
  EXPECT_EQ(playback_max_age_s(100, 500), 100);
  EXPECT_EQ(playback_max_age_s(100, -5), 0);
}

}  // namespace
}  // namespace reelway::edge
