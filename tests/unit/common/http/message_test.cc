#include "common/http/message.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

TEST(NamesEqual, ComparesWithoutCase) {
  EXPECT_TRUE(names_equal("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(names_equal("Content-Length", "Content-Lengt"));
  EXPECT_FALSE(names_equal("a[", "a{")) << "only letters have a case";
  EXPECT_FALSE(names_equal("@", "`"));
}

TEST(ListContains, FindsMembers) {
  EXPECT_TRUE(list_contains("a, B ;q=1,c", "b"));
  EXPECT_TRUE(list_contains("close", "Close"));
  EXPECT_TRUE(list_contains(" ,, close", "close"));
  EXPECT_FALSE(list_contains("closed", "close"));
  EXPECT_FALSE(list_contains("", "close"));
  EXPECT_FALSE(list_contains("x=\"a, close, b\"", "close"));
  EXPECT_TRUE(list_contains("\"a\\\", b\", close", "close"));
}

TEST(HeaderList, FindsTheFirstAndCounts) {
  HeaderList headers;
  headers.add("Via", "1");
  headers.add("via", "2");
  headers.add("Age", "3");
  EXPECT_EQ(headers.find("VIA"), "1");
  EXPECT_EQ(headers.count("via"), 2u);
  EXPECT_EQ(headers.count("etag"), 0u);
  EXPECT_EQ(headers.find("etag"), std::nullopt);
  EXPECT_EQ(headers.size(), 3u);
}

TEST(Trimmed, CutsBlanksAndTabsOnly) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("  "), "");
  EXPECT_EQ(trimmed("\va"), "\va");
}

}  // namespace
}  // namespace reelway::http
