#include "edge/policy/vary.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Fields = std::vector<http::Header>;

http::HeaderList list(const Fields& fields) {
  http::HeaderList headers;
  for (const http::Header& field : fields) headers.add(field.name, field.value);
  return headers;
}

std::string key(const std::vector<std::string>& names, const Fields& request) {
  return variant_key("k", names, list(request)).value_or("none");
}

TEST(VaryTest, NamesAreLowerCaseSortedAndOnce) {
  const Vary vary = vary_of(list({{"Vary", "Foo, accept-Encoding"}, {"vary", ", foo,Bar"}}));
  EXPECT_FALSE(vary.any);
  EXPECT_EQ(vary.names, (std::vector<std::string>{"accept-encoding", "bar", "foo"}));
}

TEST(VaryTest, AStarAnywhereMatchesNothing) {
  for (const char* value : {"*", "*, *", ", *", "*, Foo", "Foo, *"}) EXPECT_TRUE(vary_of(list({{"Vary", value}})).any);
  EXPECT_TRUE(vary_of(list({{"Vary", ","}, {"Vary", "*"}})).any);
}

TEST(VaryTest, AbsentEmptyAndOtherValuesDiffer) {
  EXPECT_EQ(key({"foo"}, {}), "k\tfoo");
  EXPECT_EQ(key({"foo"}, {{"Foo", ""}}), "k\tfoo=");
  EXPECT_EQ(key({"foo"}, {{"Foo", "1"}}), "k\tfoo=1");
  EXPECT_NE(key({"foo"}, {{"Foo", "a"}}), key({"foo"}, {{"Foo", "A"}}));
  EXPECT_EQ(key({"bar", "foo"}, {{"Foo", "1"}, {"Other", "2"}, {"Bar", "3"}}), "k\tbar=3\tfoo=1");
}

TEST(VaryTest, NoValueCanLookLikeAnotherField) {
  EXPECT_NE(key({"a", "b"}, {{"A", "1\tb=2"}}), key({"a", "b"}, {{"A", "1"}, {"B", "2"}}));
}

struct Case {
  const char* name;
  const char* value;
  const char* normal;
};

TEST(VaryTest, NormalForms) {
  for (const Case& test : {
           Case{"foo", " 1 ,  2,", "1,2"},
           {"foo", "b, a", "b,a"},
           {"foo", "\"x, y\", z", "\"x, y\",z"},
           {"accept-encoding", "gzip, deflate, br", "br,gzip,identity"},
           {"accept-encoding", "BR;q=0.1,  gzip ; q=1.0", "br,gzip,identity"},
           {"accept-encoding", "x-gzip", "gzip,identity"},
           {"accept-encoding", "gzip;q=0, *", "br,identity,zstd"},
           {"accept-encoding", "identity;q=0, gzip", "gzip"},
           {"accept-encoding", "*;q=0.000, gzip", "gzip"},
           {"accept-encoding", "", "identity"},
           {"accept-language", "en, de", "de,en"},
           {"accept-language", "De,eN", "de,en"},
           {"accept-language", "fr;q=0.5, de-AT;q=1.0, en;q=0.25", "de-at,fr;500,en;250"},
           {"accept-language", "a;q=0, b;q=2, c;q=", "b,c,a;0"},
       }) {
    EXPECT_EQ(normal_value(test.name, test.value), test.normal) << test.name << ": " << test.value;
  }
}

TEST(VaryTest, LinesOfOneNameAreOneList) {
  EXPECT_EQ(key({"foo"}, {{"Foo", "1"}, {"foo", "2"}}), key({"foo"}, {{"Foo", "1,2"}}));
}

TEST(VaryTest, WhatIsTooMuchForAKeyHasNone) {
  const std::string value(kVariantKeyBytesMax, 'x');
  EXPECT_EQ(key({"foo"}, {{"Foo", value}}), "none");
  EXPECT_EQ(key(std::vector<std::string>(kVaryNamesMax + 1, "a"), {}), "none");
  EXPECT_NE(key(std::vector<std::string>(kVaryNamesMax, "a"), {}), "none");
}

}  // namespace
}  // namespace reelway::edge
