#include "origin/request/entity_tag.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

TEST(EntityTag, DiffersWithBodyLengthAndVersion) {
  const std::string tag = entity_tag(0x1234, 99, "aabbccddeeff00112233");
  EXPECT_EQ(tag, "\"00001234-63-aabbccddeeff0011-p1\"");
  EXPECT_NE(entity_tag(0x1235, 99, "aabbccddeeff00112233"), tag);
  EXPECT_NE(entity_tag(0x1234, 98, "aabbccddeeff00112233"), tag);
  EXPECT_NE(entity_tag(0x1234, 99, "abbbccddeeff00112233"), tag);
}

TEST(EntityTag, IfNoneMatchIsAListOrAStar) {
  const std::string tag = "\"a\"";
  EXPECT_TRUE(none_match_names("\"a\"", tag));
  EXPECT_TRUE(none_match_names("W/\"a\"", tag));
  EXPECT_TRUE(none_match_names("\"b\" ,  \"a\"", tag));
  EXPECT_TRUE(none_match_names("*", tag));
  EXPECT_FALSE(none_match_names("\"b\", \"c\"", tag));
  EXPECT_FALSE(none_match_names("a", tag));
  EXPECT_FALSE(none_match_names("", tag));
}

}  // namespace
}  // namespace reelway::origin
