#include "edge/policy/reuse.h"

#include <gtest/gtest.h>

#include <vector>

namespace reelway::edge {
namespace {

constexpr std::int64_t kReceivedMs = 1'800'000'000'000;

ReuseRequest asked(const std::vector<http::Header>& fields) {
  http::HeaderList headers;
  for (const http::Header& field : fields) headers.add(field.name, field.value);
  return reuse_request(headers);
}

ReuseRequest control(std::string_view value) {
  return asked({{"Cache-Control", value}});
}

// Came in 10 s old with a lifetime of 70 s: fresh for 60 s.
StoredFreshness stored() {
  StoredFreshness stored;
  stored.received_ms = kReceivedMs;
  stored.age_s = 10;
  stored.fresh_until_ms = kReceivedMs + 60'000;
  stored.has_validator = true;
  return stored;
}

std::int64_t after_s(std::int64_t seconds) {
  return kReceivedMs + seconds * 1000;
}

TEST(ReuseTest, PragmaCountsOnlyWithoutCacheControl) {
  EXPECT_TRUE(asked({{"Pragma", "no-cache"}}).no_cache);
  EXPECT_FALSE(asked({{"Pragma", "other"}}).no_cache);
  EXPECT_FALSE(asked({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}}).no_cache);
  EXPECT_TRUE(asked({{"Cache-Control", "max-age=5"}, {"Cache-Control", "no-cache"}}).no_cache);
}

struct Case {
  const char* control;
  std::int64_t after_s;
  Reuse reuse;
};

TEST(ReuseTest, WithoutPermissionStaleIsValidated) {
  for (const Case& test : {
           Case{"", 0, Reuse::fresh},
           {"", 59, Reuse::fresh},
           {"", 60, Reuse::validate},
           {"no-cache", 0, Reuse::validate},
           {"max-age=0", 0, Reuse::validate},
           {"max-age=30", 19, Reuse::fresh},
           {"max-age=30", 20, Reuse::validate},
           {"min-fresh=30", 30, Reuse::fresh},
           {"min-fresh=30", 31, Reuse::validate},
           {"max-stale", 5000, Reuse::stale_allowed},
           {"max-stale=10", 69, Reuse::stale_allowed},
           {"max-stale=10", 70, Reuse::validate},
           {"max-stale, max-age=30", 65, Reuse::validate},
           {"max-stale, min-fresh=1", 65, Reuse::validate},
           {"only-if-cached", 59, Reuse::fresh},
           {"only-if-cached", 60, Reuse::only_if_cached_504},
           {"only-if-cached, max-stale=10", 61, Reuse::stale_allowed},
           {"only-if-cached, no-cache", 0, Reuse::only_if_cached_504},
           {"no-store", 0, Reuse::fresh},
       }) {
    EXPECT_EQ(decide_reuse(control(test.control), stored(), after_s(test.after_s)).reuse, test.reuse)
        << test.control << " after " << test.after_s;
  }
}

TEST(ReuseTest, StaleWhileRevalidate) {
  StoredFreshness object = stored();
  object.stale_while_revalidate_s = 30;
  EXPECT_EQ(decide_reuse({}, object, after_s(59)).reuse, Reuse::fresh);
  EXPECT_EQ(decide_reuse({}, object, after_s(60)).reuse, Reuse::stale_while_revalidate);
  EXPECT_EQ(decide_reuse({}, object, after_s(89)).reuse, Reuse::stale_while_revalidate);
  EXPECT_EQ(decide_reuse({}, object, after_s(90)).reuse, Reuse::validate);
  EXPECT_EQ(decide_reuse(control("no-cache"), object, after_s(61)).reuse, Reuse::validate);
  EXPECT_EQ(decide_reuse(control("max-age=20"), object, after_s(61)).reuse, Reuse::validate);
}

TEST(ReuseTest, WhatMustBeRevalidatedIsNeverStale) {
  StoredFreshness object = stored();
  object.stale_while_revalidate_s = object.stale_if_error_s = 3600;
  object.must_revalidate = true;
  EXPECT_EQ(decide_reuse({}, object, after_s(59)).reuse, Reuse::fresh);
  EXPECT_EQ(decide_reuse(control("max-stale"), object, after_s(60)).reuse, Reuse::validate);
  EXPECT_FALSE(stale_if_error({}, object, after_s(61), UpstreamTrouble::unreachable, 3600));
  object.must_revalidate = false;
  object.always_validate = true;
  EXPECT_EQ(decide_reuse(control("max-stale"), object, after_s(0)).reuse, Reuse::validate);
  EXPECT_FALSE(stale_if_error({}, object, after_s(1), UpstreamTrouble::unreachable, 3600));
}

TEST(ReuseTest, WithoutValidatorItIsFetched) {
  StoredFreshness object = stored();
  object.has_validator = false;
  EXPECT_EQ(decide_reuse({}, object, after_s(60)).reuse, Reuse::fetch);
  EXPECT_EQ(decide_without_stored({}).reuse, Reuse::fetch);
  EXPECT_EQ(decide_without_stored(control("only-if-cached")).reuse, Reuse::only_if_cached_504);
}

TEST(ReuseTest, ForwardReasonsAreThoseOfCacheStatus) {
  EXPECT_EQ(decide_reuse({}, stored(), after_s(60)).forward_reason, "stale");
  EXPECT_EQ(decide_reuse(control("no-cache"), stored(), after_s(0)).forward_reason, "request");
}

TEST(ReuseTest, AnErrorIsBridgedAsFarAsItIsAllowed) {
  StoredFreshness object = stored();
  object.stale_if_error_s = 30;
  for (const auto trouble : {UpstreamTrouble::unreachable, UpstreamTrouble::error_5xx}) {
    EXPECT_TRUE(stale_if_error({}, object, after_s(89), trouble, 0));
    EXPECT_FALSE(stale_if_error({}, object, after_s(90), trouble, 0));
    EXPECT_FALSE(stale_if_error(control("no-cache"), object, after_s(89), trouble, 0));
    EXPECT_TRUE(stale_if_error(control("stale-if-error=60"), object, after_s(100), trouble, 0));
  }
  EXPECT_TRUE(stale_if_error({}, object, after_s(100), UpstreamTrouble::unreachable, 60));
  EXPECT_FALSE(stale_if_error({}, object, after_s(100), UpstreamTrouble::error_5xx, 60));
  for (const std::uint16_t status : {500, 502, 503, 504}) EXPECT_TRUE(is_error_5xx(status));
  for (const std::uint16_t status : {200, 404, 501, 505}) EXPECT_FALSE(is_error_5xx(status));
}

TEST(ReuseTest, TheSumIsShown) {
  EXPECT_EQ(describe(stored(), after_s(12)),
            "lifetime 70 s - age on arrival 10 s - in the store 12 s = fresh for 48 s");
  EXPECT_EQ(describe(stored(), after_s(63)), "lifetime 70 s - age on arrival 10 s - in the store 63 s = stale for 3 s");
}

}  // namespace
}  // namespace reelway::edge
