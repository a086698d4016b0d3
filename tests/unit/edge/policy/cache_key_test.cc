#include "edge/policy/cache_key.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(CacheKeyTest, IsTheObjectPathAndTheView) {
  EXPECT_EQ(cache_key("/film/v1/video/720/3.m4s", kViewAll), "/film/v1/video/720/3.m4s|all");
}

}  // namespace
}  // namespace reelway::edge
