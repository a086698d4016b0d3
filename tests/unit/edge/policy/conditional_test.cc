#include "edge/policy/conditional.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace reelway::edge
