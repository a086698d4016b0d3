#include "edge/store/chunk_pool.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>

#include "edge/store/page_runs.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kPage = PageRuns::kPageBytes;

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(PageRuns, TakesTheTightestPlaceAndGivesPagesBack) {
  PageRuns runs(2 * PageRuns::kFrameBytes);
  std::uint8_t* first = runs.take(100);
  std::uint8_t* second = runs.take(100);
  std::uint8_t* third = runs.take(50);
  EXPECT_EQ(second, first + 100 * kPage);
  EXPECT_EQ(third, second + 100 * kPage);
  EXPECT_EQ(runs.backed_bytes(), 250 * kPage);
  runs.give(second, 100);
  EXPECT_EQ(runs.backed_bytes(), 250 * kPage) << "kept for the next";
  EXPECT_EQ(runs.take(6), third + 50 * kPage) << "not out of the longer run";
  EXPECT_EQ(runs.take(100), second);
  runs.give(first, 100);
  runs.give(second, 100);
  runs.unback(1);
  EXPECT_EQ(runs.backed_bytes(), 56 * kPage);
  runs.unback(1 << 30);
  EXPECT_EQ(runs.backed_bytes(), 56 * kPage) << "the rest is in use";
  EXPECT_EQ(runs.take(200), first) << "both are one run again";
}

TEST(PageRuns, EndsWithItsAddressSpace) {
  PageRuns runs(PageRuns::kFrameBytes);
  std::uint8_t* all = runs.take(PageRuns::kFramePages);
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(runs.take(1), nullptr);
  runs.give(all, PageRuns::kFramePages);
  EXPECT_NE(runs.take(1), nullptr);
  EXPECT_EQ(runs.take(PageRuns::kFramePages), nullptr);
  PageRuns none(0);
  EXPECT_EQ(none.take(1), nullptr);
}

// Chunks of all lengths come and go. None overlaps another, and neither the count nor what the kernel says of this
// process goes beyond the budget.
TEST(ChunkPool, StaysWithinItsBudgetWhateverTheLengths) {
  constexpr std::uint64_t kBudget = 48 << 20;
  const auto pool = ChunkPool::create(kBudget);
  std::mt19937_64 random(7);
  struct Held {
    Chunk chunk;
    std::uint8_t mark = 0;
  };
  std::vector<Held> held;
  const auto is_whole = [](const Held& one) {
    const std::uint8_t* data = one.chunk.data();
    return data[0] == one.mark && std::memcmp(data, data + 1, one.chunk.capacity() - 1) == 0;
  };
  const std::uint64_t before = resident_bytes();
  std::size_t refused = 0;
  for (int step = 0; step < 60'000; ++step) {
    // By turns mostly short ones and mostly long ones, so that room must pass from one kind to the other.
    const bool long_ones = step / 10'000 % 2 == 1;
    const std::size_t bytes =
        random() % 8 == 0 || long_ones ? 1 + random() % ChunkPool::kFullBytes : 1 + random() % 20'000;
    Chunk chunk = pool->allocate(random() % 16 == 0 ? ChunkPool::kFullBytes : bytes);
    ASSERT_LE(pool->used_bytes(), kBudget);
    ASSERT_LE(pool->backed_bytes(), kBudget);
    if (chunk) {
      const auto mark = static_cast<std::uint8_t>(random());
      std::memset(chunk.data(), mark, chunk.capacity());
      held.push_back({std::move(chunk), mark});
      continue;
    }
    ++refused;
    for (int i = 0; i < 4 && !held.empty(); ++i) {
      std::swap(held[random() % held.size()], held.back());
      ASSERT_TRUE(is_whole(held.back()));
      held.pop_back();
    }
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(pool->used_bytes(), kBudget / 2) << "what is free must be of use in spite of its places";
  EXPECT_LT(resident_bytes() - before, kBudget + (8 << 20));
  for (const Held& one : held) EXPECT_TRUE(is_whole(one));
}

}  // namespace
}  // namespace reelway::edge
