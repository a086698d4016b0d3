#include "edge/policy/tags.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Names = std::vector<std::string>;

Tags read(const std::vector<http::Header>& fields) {
  http::HeaderList headers;
  for (const http::Header& field : fields) headers.add(field.name, field.value);
  return tags_of(headers);
}

TEST(TagsTest, BothFieldsOnAnyNumberOfLines) {
  EXPECT_EQ(read({{"Surrogate-Key", " film:1  series/2\thome "}}).tags, (Names{"film:1", "series/2", "home"}));
  EXPECT_EQ(read({{"Cache-Tag", "a b, c,,d"}}).tags, (Names{"a b", "c", "d"}));
  EXPECT_EQ(read({{"surrogate-key", "a b"}, {"Cache-Tag", "b,c"}, {"Surrogate-Key", "d a"}}).tags,
            (Names{"a", "b", "c", "d"}));
  EXPECT_TRUE(read({{"Content-Type", "a"}}).tags.empty());
  EXPECT_EQ(read({{"Surrogate-Key", "A a"}}).tags, (Names{"A", "a"}));
}

TEST(TagsTest, BeyondTheLimitsIsSaid) {
  std::string tags = "t0";
  for (std::size_t i = 1; i < kTagsMax; ++i) tags += " t" + std::to_string(i);
  EXPECT_FALSE(read({{"Surrogate-Key", tags + " t0"}}).too_many);
  EXPECT_EQ(read({{"Surrogate-Key", tags}}).tags.size(), kTagsMax);
  EXPECT_TRUE(read({{"Surrogate-Key", tags + " more"}}).too_many);
  EXPECT_FALSE(read({{"Cache-Tag", std::string(kTagBytesMax, 'x')}}).too_many);
  EXPECT_TRUE(read({{"Cache-Tag", std::string(kTagBytesMax + 1, 'x')}}).too_many);
}

}  // namespace
}  // namespace reelway::edge
