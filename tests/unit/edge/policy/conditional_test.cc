#include "edge/policy/conditional.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace reelway::edge {
namespace {

TEST(ConditionalTest, IfNoneMatchComparesWeaklyOverAList) {
  EXPECT_TRUE(none_match_holds_copy("\"a\"", "\"a\""));
  EXPECT_TRUE(none_match_holds_copy("W/\"a\"", "\"a\""));
  EXPECT_TRUE(none_match_holds_copy("\"x\" , \"a\"", "W/\"a\""));
  EXPECT_TRUE(none_match_holds_copy(" * ", "\"a\""));
  EXPECT_TRUE(none_match_holds_copy("*", ""));
  EXPECT_TRUE(none_match_holds_copy("\"p,q\",\"a\"", "\"a\""));
  EXPECT_FALSE(none_match_holds_copy("\"p,\"a\",q\"", "\"b\""));
  EXPECT_FALSE(none_match_holds_copy("\"b\"", "\"a\""));
  EXPECT_FALSE(none_match_holds_copy("a", "\"a\""));
  EXPECT_FALSE(none_match_holds_copy("\"\"", ""));
  EXPECT_FALSE(none_match_holds_copy("", "\"a\""));
  EXPECT_FALSE(none_match_holds_copy(",,", "\"a\""));
}

TEST(ConditionalTest, IfRangeComparesStrongly) {
  EXPECT_TRUE(range_may_apply(std::nullopt, "\"a\"", ""));
  EXPECT_TRUE(range_may_apply("\"a\"", "\"a\"", ""));
  EXPECT_FALSE(range_may_apply("\"b\"", "\"a\"", ""));
  EXPECT_FALSE(range_may_apply("W/\"a\"", "W/\"a\"", ""));
  EXPECT_FALSE(range_may_apply("\"\"", "", ""));
  EXPECT_TRUE(range_may_apply("Sun, 06 Nov 1994 08:49:37 GMT", "", "Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_FALSE(range_may_apply("Sun, 06 Nov 1994 08:49:38 GMT", "", "Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_FALSE(range_may_apply("", "", ""));
}

constexpr const char* kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kModified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kLater = "Sunday, 06-Nov-94 08:49:38 GMT";
constexpr std::int64_t kModifiedMs = 784111777000;

http::HeaderList fields(const std::vector<http::Header>& list) {
  http::HeaderList headers;
  for (const http::Header& field : list) headers.add(field.name, field.value);
  return headers;
}

struct Case {
  std::vector<http::Header> request;
  Precondition as_cache;
  Precondition as_origin;
};

TEST(ConditionalTest, PreconditionsInTheOrderOfTheRfc) {
  constexpr auto kProceed = Precondition::proceed;
  constexpr auto kNotModified = Precondition::not_modified;
  constexpr auto kFailed = Precondition::failed;
  const Validators stored{"\"a\"", kModified, 0};
  for (const Case& test : std::vector<Case>{
           {{}, kProceed, kProceed},
           {{{"If-None-Match", "\"a\""}}, kNotModified, kNotModified},
           {{{"If-None-Match", "\"b\""}, {"If-None-Match", "W/\"a\""}}, kNotModified, kNotModified},
           {{{"If-None-Match", "\"b\""}}, kProceed, kProceed},
           {{{"If-Modified-Since", kModified}}, kNotModified, kNotModified},
           {{{"If-Modified-Since", kLater}}, kNotModified, kNotModified},
           {{{"If-Modified-Since", kEarlier}}, kProceed, kProceed},
           {{{"If-Modified-Since", "yesterday"}}, kProceed, kProceed},
           // The tag counts before the date.
           {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", kEarlier}}, kNotModified, kNotModified},
           {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", kLater}}, kProceed, kProceed},
           {{{"If-Match", "\"b\""}}, kProceed, kFailed},
           {{{"If-Match", "\"b\", \"a\""}}, kProceed, kProceed},
           {{{"If-Match", "W/\"a\""}}, kProceed, kFailed},
           {{{"If-Match", "*"}, {"If-None-Match", "*"}}, kNotModified, kNotModified},
           {{{"If-Unmodified-Since", kEarlier}}, kProceed, kFailed},
           {{{"If-Unmodified-Since", kModified}}, kProceed, kProceed},
           {{{"If-Unmodified-Since", "soon"}}, kProceed, kProceed},
           {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", kEarlier}}, kProceed, kProceed},
           {{{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, kNotModified, kFailed},
       }) {
    const http::HeaderList request = fields(test.request);
    std::string shown;
    for (const http::Header& field : request) shown.append(field.name).append(": ").append(field.value).append("; ");
    EXPECT_EQ(evaluate_preconditions(request, stored, PreconditionScope::as_cache), test.as_cache) << shown;
    EXPECT_EQ(evaluate_preconditions(request, stored, PreconditionScope::as_origin), test.as_origin) << shown;
  }
}

TEST(ConditionalTest, WithoutLastModifiedTheDateStandsIn) {
  const Validators stored{"", "", kModifiedMs};
  const auto since = [&](const char* date) {
    return evaluate_preconditions(fields({{"If-Modified-Since", date}}), stored, PreconditionScope::as_cache);
  };
  EXPECT_EQ(since(kModified), Precondition::not_modified);
  EXPECT_EQ(since(kEarlier), Precondition::proceed);
}

TEST(ConditionalTest, WhatOnlyTheOriginCanAnswer) {
  EXPECT_TRUE(is_for_origin_only(fields({{"If-Match", "*"}})));
  EXPECT_TRUE(is_for_origin_only(fields({{"if-unmodified-since", "x"}})));
  EXPECT_FALSE(is_for_origin_only(fields({{"If-None-Match", "*"}, {"If-Range", "x"}})));
}

TEST(ConditionalTest, AValidationCarriesWhatThereIs) {
  EXPECT_EQ(validation_lines({"W/\"a\"", kModified, 0}),
            "If-None-Match: W/\"a\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(validation_lines({"", "", 5}), "");
}

TEST(ConditionalTest, A304MustBeAboutWhatIsStored) {
  const Validators stored{"\"a\"", kModified, 0};
  const auto confirms = [&](const std::vector<http::Header>& list) {
    http::ResponseHead head;
    head.status = 304;
    head.headers = fields(list);
    return confirms_stored(head, stored);
  };
  EXPECT_TRUE(confirms({}));
  EXPECT_TRUE(confirms({{"ETag", "\"a\""}}));
  EXPECT_TRUE(confirms({{"ETag", "W/\"a\""}}));
  EXPECT_FALSE(confirms({{"ETag", "\"b\""}}));
  EXPECT_FALSE(confirms({{"ETag", "\"b\""}, {"Last-Modified", kModified}}));
  EXPECT_TRUE(confirms({{"Last-Modified", kModified}}));
  EXPECT_FALSE(confirms({{"Last-Modified", kEarlier}}));
}

}  // namespace
}  // namespace reelway::edge
