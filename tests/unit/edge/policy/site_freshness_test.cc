#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/http/date.h"
#include "edge/policy/freshness.h"

// CachingRules::site: what a general shared cache may store.

namespace reelway::edge {
namespace {

constexpr std::int64_t kNowS = 1'800'000'000;
constexpr std::int64_t kNowMs = kNowS * 1000;

using Fields = std::vector<std::pair<std::string, std::string>>;

FreshnessVerdict judge(const Fields& fields, std::uint16_t status = 200, StoringRequest request = {}) {
  request.rules = CachingRules::site;
  http::ResponseHead head;
  head.status = status;
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return judge_response(request, head, kNowMs);
}

// Seconds of freshness; -1: not stored.
std::int64_t fresh_s(const Fields& fields, std::uint16_t status = 200) {
  const FreshnessVerdict verdict = judge(fields, status);
  return verdict.store ? (verdict.fresh_until_ms - kNowMs) / 1000 : -1;
}

Fields control(const char* value) {
  return {{"Cache-Control", value}};
}

Fields targeted(const char* value, const char* plain) {
  return {{"CDN-Cache-Control", value}, {"Cache-Control", plain}};
}

std::string date(std::int64_t offset_s) {
  return http::format_date(kNowS + offset_s);
}

TEST(SiteFreshnessTest, ExplicitLifetimes) {
  EXPECT_EQ(fresh_s(control("max-age=60")), 60);
  EXPECT_EQ(fresh_s(control("max-age=60, s-maxage=90")), 90);
  EXPECT_EQ(fresh_s({{"Expires", date(90)}, {"Date", date(0)}}), 90);
  EXPECT_EQ(fresh_s({{"Expires", date(90)}, {"Date", "foo"}}), 90);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Expires", "0"}}), 60);
  EXPECT_EQ(fresh_s({{"Expires", date(20)}, {"Date", date(10)}, {"Age", "15"}}), -1);
}

TEST(SiteFreshnessTest, AnyFinalStatusWithALifetimeIsStoredButPartsAre) {
  for (const std::uint16_t status : {200, 204, 299, 301, 302, 307, 400, 404, 410, 499, 500, 503, 599}) {
    EXPECT_EQ(fresh_s(control("max-age=60"), status), 60) << status;
  }
  for (const std::uint16_t status : {100, 103, 206, 304, 416}) EXPECT_EQ(fresh_s(control("max-age=60"), status), -1);
}

TEST(SiteFreshnessTest, AHeuristicIsATenthOfTheTimeUnchangedAtMostADay) {
  const auto since = [](std::int64_t age_s) { return Fields{{"Date", date(0)}, {"Last-Modified", date(-age_s)}}; };
  EXPECT_EQ(fresh_s(since(1000)), 100);
  EXPECT_EQ(fresh_s(since(100 * 24 * 3600)), 24 * 3600);
  EXPECT_EQ(fresh_s(since(0)), 0);  // stored, for it can be validated
  EXPECT_TRUE(judge(since(1000)).heuristic);
  for (const std::uint16_t status : {203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
    EXPECT_EQ(fresh_s(since(1000), status), 100) << status;
  }
  for (const std::uint16_t status : {201, 202, 302, 403, 502, 503, 504, 599}) {
    EXPECT_EQ(fresh_s(since(1000), status), 0) << status;
    Fields fields = since(1000);
    fields.push_back({"Cache-Control", "public"});
    EXPECT_EQ(fresh_s(fields, status), 100) << status;
  }
  Fields fields = since(1000);
  fields.push_back({"Expires", "0"});
  EXPECT_EQ(fresh_s(fields), 0);
}

TEST(SiteFreshnessTest, WhatIsNotFreshIsStoredIfSomethingCanComeOfIt) {
  EXPECT_EQ(fresh_s({}), -1);
  EXPECT_EQ(fresh_s({{"ETag", "\"a\""}}), 0);
  EXPECT_EQ(fresh_s(control("max-age=0")), -1);
  EXPECT_EQ(fresh_s(control("max-age=0, stale-while-revalidate=5")), 0);
  EXPECT_EQ(fresh_s(control("max-age=0, stale-if-error=5")), 0);
  EXPECT_EQ(fresh_s(control("max-age=0, stale-if-error=5, must-revalidate")), -1);
  const FreshnessVerdict verdict = judge({{"Cache-Control", "max-age=60, no-cache"}, {"ETag", "\"a\""}});
  EXPECT_TRUE(verdict.store && verdict.always_validate);
  EXPECT_EQ(fresh_s(control("max-age=60, no-cache")), -1);
}

TEST(SiteFreshnessTest, DirectivesThatForbid) {
  for (const char* directive : {"no-store", "No-StOrE", "private", "private=\"Set-Cookie\""}) {
    EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Cache-Control", directive}, {"ETag", "\"a\""}}), -1);
  }
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}}), 60);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Vary", "Foo, *"}}), -1);
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, {"Cache-Tag", std::string(257, 'x')}}), -1);
  EXPECT_EQ(judge(control("max-age=60, no-store")).reason, "no-store");
}

TEST(SiteFreshnessTest, MustUnderstandOverridesNoStoreForStatusesThatAreUnderstood) {
  EXPECT_EQ(fresh_s(control("max-age=60, no-store, must-understand"), 200), 60);
  EXPECT_EQ(fresh_s(control("max-age=60, no-store, must-understand"), 599), -1);
  EXPECT_EQ(fresh_s(control("max-age=60, must-understand"), 599), -1);
}

TEST(SiteFreshnessTest, WhatNeverMayBeStale) {
  EXPECT_FALSE(judge(control("max-age=60")).must_revalidate);
  for (const char* directive : {"max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60"}) {
    EXPECT_TRUE(judge(control(directive)).must_revalidate) << directive;
  }
  const FreshnessVerdict verdict = judge(control("max-age=60, stale-while-revalidate=5, stale-if-error=6"));
  EXPECT_EQ(verdict.stale_while_revalidate_s, 5u);
  EXPECT_EQ(verdict.stale_if_error_s, 6u);
}

TEST(SiteFreshnessTest, TheRequestDecidesToo) {
  StoringRequest request;
  request.authorization = true;
  EXPECT_FALSE(judge(control("max-age=60"), 200, request).store);
  for (const char* directive : {"max-age=60, public", "max-age=60, must-revalidate", "s-maxage=60"}) {
    EXPECT_TRUE(judge(control(directive), 200, request).store) << directive;
  }
  EXPECT_FALSE(judge(control("max-age=60, proxy-revalidate"), 200, request).store);
  request = {};
  request.no_store = true;
  EXPECT_FALSE(judge(control("max-age=60"), 200, request).store);
  for (const auto method : {http::Method::head, http::Method::post, http::Method::other}) {
    request = {};
    request.method = method;
    EXPECT_FALSE(judge(control("max-age=60"), 200, request).store);
  }
}

TEST(SiteFreshnessTest, ACookieIsSharedOnlyWhereTheOriginSaysForHowLong) {
  const std::pair<std::string, std::string> cookie{"Set-Cookie", "a=b"};
  EXPECT_EQ(fresh_s({{"Cache-Control", "max-age=60"}, cookie}), 60);
  EXPECT_EQ(fresh_s({{"Expires", date(60)}, cookie}), 60);
  EXPECT_EQ(fresh_s({{"Last-Modified", date(-1000)}, cookie}), -1);
  EXPECT_EQ(fresh_s({{"ETag", "\"a\""}, cookie}), -1);
  EXPECT_EQ(fresh_s({{"ETag", "\"a\""}, {"Cache-Control", "max-age=0"}, cookie}), -1);
  EXPECT_EQ(fresh_s({{"ETag", "\"a\""}, {"Cache-Control", "max-age=60, no-cache"}, cookie}), -1);
}

struct Targeted {
  const char* field;
  const char* plain;
  std::int64_t fresh_s;
};

TEST(SiteFreshnessTest, ATargetedFieldTakesThePlaceOfCacheControlAndExpires) {
  for (const Targeted& test : {
           Targeted{"max-age=60", "max-age=1", 60},
           {"max-age=60", "no-store", 60},
           {"foobar, max-age=60;p=1", "private", 60},
           {"max-age=99999999999", "max-age=1", 315360000},
           {"no-store", "max-age=60", -1},
           {"private", "max-age=60", -1},
           {"private=\"a\"", "max-age=60", -1},
           {"no-store=?0, max-age=5", "max-age=60", 5},
           // Not valid, so it does not count.
           {"", "max-age=60", 60},
           {"max-age=60, &&&", "no-store", -1},
           {"max-age=\"60\"", "no-store", -1},
           {"max-age=-1", "max-age=60", 60},
           {"max-age=1.0", "max-age=60", 60},
           {"max-age =1", "max-age=60", 60},
           {"no-store=1", "max-age=60", 60},
           {"MAX-AGE=5", "max-age=60", 60},
       }) {
    EXPECT_EQ(fresh_s(targeted(test.field, test.plain)), test.fresh_s) << test.field << " / " << test.plain;
  }
  EXPECT_EQ(fresh_s({{"CDN-Cache-Control", "max-age=60"}, {"Expires", date(5)}}), 60);
  EXPECT_EQ(fresh_s({{"CDN-Cache-Control", "public"}, {"Expires", date(5)}}), -1);
  EXPECT_EQ(fresh_s({{"CDN-Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "no-store"}}), -1);
  EXPECT_EQ(fresh_s({{"CDN-Cache-Control", "max-age=60"}, {"Age", "20"}}), 40);
  EXPECT_EQ(judge(targeted("max-age=60", "no-store")).lifetime_source, LifetimeSource::targeted);
}

TEST(SiteFreshnessTest, TheSumIsShown) {
  EXPECT_EQ(describe(judge({{"Cache-Control", "s-maxage=60"}, {"Age", "20"}})),
            "lifetime 60 s (s-maxage) - age on arrival 20 s = fresh for 40 s");
  EXPECT_EQ(describe(judge({{"ETag", "\"a\""}})), "lifetime 0 s (none stated) - age on arrival 0 s = stale on arrival");
}

}  // namespace
}  // namespace reelway::edge
