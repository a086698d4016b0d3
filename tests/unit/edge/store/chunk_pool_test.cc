#include "edge/store/chunk_pool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "common/base/unique_fd.h"
#include "edge/store/page_runs.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kPage = PageRuns::kPageBytes;
constexpr std::size_t kLentBytes = 96 * 1024;

// Of the memory from `first` on, what the kernel holds.
std::uint64_t resident_bytes(std::uint8_t* first, std::uint64_t bytes) {
  std::vector<unsigned char> pages(bytes / kPage);
  EXPECT_EQ(::mincore(first, bytes, pages.data()), 0);
  return kPage *
         static_cast<std::uint64_t>(std::count_if(pages.begin(), pages.end(), [](auto page) { return page & 1; }));
}

// Until it is lent: the first times it is not.
bool lend(Chunk& chunk) {
  for (std::size_t times = 0; times <= Chunk::kNotLentTimes; ++times) {
    if (chunk.lend()) return true;
  }
  return false;
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

TEST(PageRuns, WhatWasLentHasNoPagesUntilItIsTakenAgain) {
  PageRuns runs(PageRuns::kFrameBytes);
  std::uint8_t* first = runs.take(3);
  std::uint8_t* second = runs.take(3);
  std::memset(first, 1, 6 * kPage);
  runs.give_lent(first, 3);
  EXPECT_EQ(runs.backed_bytes(), 3 * kPage);
  EXPECT_EQ(runs.take(3), first);
  EXPECT_EQ(runs.backed_bytes(), 6 * kPage);
  EXPECT_EQ(first[0], 0) << "other pages";
  EXPECT_EQ(second[0], 1);
}

TEST(ChunkPool, AShortChunkIsLentAndNotTheFirstTimes) {
  const auto pool = ChunkPool::create(8 << 20);
  Chunk full = pool->allocate(ChunkPool::kFullBytes);
  EXPECT_FALSE(lend(full));
  Chunk chunk = pool->allocate(kLentBytes);
  EXPECT_FALSE(chunk.lend());
  EXPECT_TRUE(lend(chunk));
}

TEST(ChunkPool, WhatWasSentByReferenceStaysAsItWasWhenTheMemoryIsUsedAgain) {
  constexpr std::size_t kSentBytes = 8 * kPage;
  const auto pool = ChunkPool::create(kLentBytes);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  Chunk chunk = pool->allocate(kLentBytes);
  std::memset(chunk.data(), 1, kLentBytes);
  ASSERT_TRUE(lend(chunk));
  const iovec run{chunk.data(), kSentBytes};
  ASSERT_EQ(::vmsplice(write_end.get(), &run, 1, 0), static_cast<ssize_t>(kSentBytes));
  const std::uint8_t* const data = chunk.data();
  chunk = Chunk();
  EXPECT_EQ(pool->backed_bytes(), 0u);
  chunk = pool->allocate(kLentBytes);
  ASSERT_EQ(chunk.data(), data);
  std::memset(chunk.data(), 2, kLentBytes);
  std::vector<std::uint8_t> received(kSentBytes);
  ASSERT_EQ(::read(read_end.get(), received.data(), kSentBytes), static_cast<ssize_t>(kSentBytes));
  EXPECT_THAT(received, ::testing::Each(1));
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
  // Full chunks lie one after the other, and short ones have an address space of twice the budget.
  std::uint8_t* const first_full = pool->allocate(ChunkPool::kFullBytes).data();
  std::uint8_t* const first_short = pool->allocate(kPage).data();
  std::size_t refused = 0;
  for (int step = 0; step < 60'000; ++step) {
    // By turns mostly short ones and mostly long ones, so that room must pass from one kind to the other.
    const bool long_ones = step / 10'000 % 2 == 1;
    const std::size_t bytes =
        random() % 8 == 0 || long_ones ? 1 + random() % ChunkPool::kFullBytes : 1 + random() % 20'000;
    Chunk chunk = pool->allocate(random() % 16 == 0 ? ChunkPool::kFullBytes : bytes);
    if (chunk && random() % 4 == 0 && chunk.capacity() < ChunkPool::kFullBytes) lend(chunk);
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
  EXPECT_LE(resident_bytes(first_full, kBudget) + resident_bytes(first_short, 2 * kBudget), kBudget + (8 << 20))
      << "huge pages end between chunks";
  for (const Held& one : held) EXPECT_TRUE(is_whole(one));
}

}  // namespace
}  // namespace reelway::edge
