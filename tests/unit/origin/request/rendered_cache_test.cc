#include "origin/request/rendered_cache.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

std::shared_ptr<const Rendered> text_of(std::size_t bytes) {
  auto rendered = std::make_shared<Rendered>();
  rendered->plain.body = std::make_shared<const std::string>(bytes, 'x');
  return rendered;
}

TEST(RenderedCache, DropsTheLeastRecentlyUsedForRoom) {
  RenderedCache cache(5000);
  cache.add("/a", text_of(1000));
  cache.add("/b", text_of(1000));
  cache.add("/c", text_of(1000));
  EXPECT_NE(cache.find("/a"), nullptr);
  cache.add("/d", text_of(1000));
  EXPECT_EQ(cache.find("/b"), nullptr);
  EXPECT_NE(cache.find("/a"), nullptr);
  EXPECT_NE(cache.find("/d"), nullptr);
}

TEST(RenderedCache, KeepsTheFirstAndLeavesOutWhatNeverFits) {
  RenderedCache cache(5000);
  const auto first = text_of(10);
  cache.add("/a", first);
  cache.add("/a", text_of(20));
  EXPECT_EQ(cache.find("/a"), first);
  cache.add("/big", text_of(6000));
  EXPECT_EQ(cache.find("/big"), nullptr);
  EXPECT_EQ(cache.find("/a"), first);
}

}  // namespace
}  // namespace reelway::origin
