#include "edge/store/extent_allocator.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace reelway::edge {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t total(const std::vector<Extent>& extents) {
  std::uint64_t bytes = 0;
  for (const Extent& extent : extents) bytes += extent.bytes();
  return bytes;
}

TEST(ExtentAllocator, TakesWholeMegabytesAndOneTail) {
  ExtentAllocator allocator;
  allocator.grow(8 * kMiB);
  const auto taken = allocator.allocate(2 * kMiB + 100 * 1024);
  ASSERT_TRUE(taken.has_value());
  ASSERT_EQ(taken->size(), 3u);
  EXPECT_EQ((*taken)[0].bytes(), kMiB);
  EXPECT_EQ((*taken)[2].bytes(), 128u * 1024);
  EXPECT_EQ(allocator.used_bytes(), ExtentAllocator::footprint(2 * kMiB + 100 * 1024));
}

TEST(ExtentAllocator, HasNoRoomWithoutGrowth) {
  EXPECT_FALSE(ExtentAllocator().allocate(1).has_value());
}

TEST(ExtentAllocator, HalvesThatAreFreeJoinAgain) {
  ExtentAllocator allocator;
  allocator.grow(kMiB);
  std::vector<Extent> small;
  for (int i = 0; i < 16; ++i) small.push_back(allocator.allocate(1)->front());
  EXPECT_FALSE(allocator.allocate(1).has_value());
  for (const Extent& extent : small) allocator.free(extent);
  const auto whole = allocator.allocate(kMiB);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->size(), 1u);
}

TEST(ExtentAllocator, SmallerBlocksStandForALargeOne) {
  ExtentAllocator allocator;
  allocator.grow(2 * kMiB);
  std::vector<Extent> small;
  for (int i = 0; i < 32; ++i) small.push_back(allocator.allocate(1)->front());
  for (std::size_t i = 0; i < small.size(); i += 2) allocator.free(small[i]);  // 16 single granules
  const auto body = allocator.allocate(kMiB - 10);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->size(), 16u);
  EXPECT_EQ(allocator.free_bytes(), 0u);
}

TEST(ExtentAllocator, ClaimsWhatARecordNamesOnceOnly) {
  ExtentAllocator allocator;
  allocator.grow(2 * kMiB);
  EXPECT_TRUE(allocator.claim({16 + 5, 0}));
  EXPECT_FALSE(allocator.claim({16 + 5, 0}));
  EXPECT_FALSE(allocator.claim({16, 4})) << "a part of it is taken";
  EXPECT_TRUE(allocator.claim({16, 2}));
  EXPECT_FALSE(allocator.claim({32, 0})) << "out of range";
  EXPECT_FALSE(allocator.claim({1, 1})) << "not aligned";
  EXPECT_FALSE(allocator.claim({0, 5}));
  allocator.free({16 + 5, 0});
  allocator.free({16, 2});
  EXPECT_EQ(allocator.free_bytes(), 2 * kMiB);
  EXPECT_EQ(allocator.allocate(2 * kMiB)->size(), 2u);
}

// Random bodies come and go: no granule is given twice, bytes add up, and free bytes always suffice to allocate.
TEST(ExtentAllocator, NeverGivesAGranuleTwice) {
  std::mt19937_64 random(3);
  ExtentAllocator allocator;
  constexpr std::uint64_t kBytes = 32 * kMiB;
  allocator.grow(kBytes);
  std::vector<bool> is_taken(kBytes / Extent::kGranuleBytes);
  std::vector<std::vector<Extent>> bodies;
  std::uint64_t used = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t body_bytes = 1 + random() % (3 * kMiB);
    const bool fits = ExtentAllocator::footprint(body_bytes) <= allocator.free_bytes();
    const auto taken = allocator.allocate(body_bytes);
    ASSERT_EQ(taken.has_value(), fits);
    if (!taken) {
      const std::size_t victim = random() % bodies.size();
      for (const Extent& extent : bodies[victim]) {
        for (std::uint32_t i = 0; i < 1u << extent.order; ++i) is_taken[extent.granule + i] = false;
        allocator.free(extent);
      }
      used -= total(bodies[victim]);
      bodies.erase(bodies.begin() + static_cast<std::ptrdiff_t>(victim));
    } else {
      ASSERT_GE(total(*taken), body_bytes);
      std::uint64_t at = 0;
      for (const Extent& extent : *taken) {
        ASSERT_LE(at % kMiB + extent.bytes(), kMiB) << "an extent crosses a chunk's end";
        at += extent.bytes();
        for (std::uint32_t i = 0; i < 1u << extent.order; ++i) {
          ASSERT_FALSE(is_taken[extent.granule + i]);
          is_taken[extent.granule + i] = true;
        }
      }
      used += total(*taken);
      bodies.push_back(*taken);
    }
    ASSERT_EQ(allocator.used_bytes(), used);
  }
}

}  // namespace
}  // namespace reelway::edge
