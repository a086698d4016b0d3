#include "origin/catalog/version_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace reelway::origin {
namespace {

VersionCache::Version make(const std::string& name, std::uint64_t bytes = 1) {
  auto version = std::make_shared<PublishedVersion>();
  version->title = name;
  version->index_memory_bytes = bytes;
  return version;
}

void put(VersionCache& cache, const std::string& name, std::uint64_t bytes = 1) {
  const auto kept = cache.find_or_load(name, [&]() -> Result<VersionCache::Version> { return make(name, bytes); });
  ASSERT_TRUE(kept.ok());
}

TEST(VersionCache, DropsTheLeastRecentlyUsedByCount) {
  VersionCache cache(2, 100);
  put(cache, "a");
  put(cache, "b");
  EXPECT_NE(cache.find("a"), nullptr);
  put(cache, "c");
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
}

TEST(VersionCache, DropsByBytesButKeepsTheLast) {
  VersionCache cache(10, 100);
  put(cache, "a", 60);
  put(cache, "b", 60);
  EXPECT_EQ(cache.find("a"), nullptr);
  put(cache, "huge", 1000);
  EXPECT_NE(cache.find("huge"), nullptr);
  EXPECT_EQ(cache.find("b"), nullptr);
}

TEST(VersionCache, FailuresAreNotKept) {
  VersionCache cache(2, 100);
  const auto failed = cache.find_or_load("a", []() -> Result<VersionCache::Version> {
    return Error{ErrorCode::io_failed, Side::disk, false, "x"};
  });
  EXPECT_FALSE(failed.ok());
  put(cache, "a");
  EXPECT_NE(cache.find("a"), nullptr);
}

TEST(VersionCache, ManyCallersLoadOnce) {
  VersionCache cache(2, 100);
  std::atomic<int> loads = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      const auto version = cache.find_or_load("a", [&]() -> Result<VersionCache::Version> {
        ++loads;
        return make("a");
      });
      EXPECT_TRUE(version.ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(loads, 1);
}

}  // namespace
}  // namespace reelway::origin
