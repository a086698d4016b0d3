#include "edge/store/chunk_pool.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "common/base/unique_fd.h"
#include "edge/store/page_runs.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kPage = PageRuns::kPageBytes;
constexpr std::size_t kLentBytes = 96 * 1024;

// What the kernel says that a pool holds: of the full chunks, which lie one after the other from the first one on, and
// of the file of the short ones.
std::uint64_t resident_bytes(std::uint8_t* first_full, std::uint64_t full_bytes, int short_file) {
  std::vector<unsigned char> pages(full_bytes / kPage);
  EXPECT_EQ(::mincore(first_full, full_bytes, pages.data()), 0);
  const auto resident =
      static_cast<std::uint64_t>(std::count_if(pages.begin(), pages.end(), [](auto p) { return p & 1; }));
  struct stat status {};
  EXPECT_EQ(::fstat(short_file, &status), 0);
  return resident * kPage + static_cast<std::uint64_t>(status.st_blocks) * 512;
}

// Until it is lent: the first times it is not.
Chunk::FilePlace lend(Chunk& chunk) {
  for (std::size_t times = 0; times <= Chunk::kNotLentTimes; ++times) {
    if (const auto place = chunk.lend(chunk.data())) return *place;
  }
  ADD_FAILURE() << "never lent";
  return {};
}

std::pair<UniqueFd, UniqueFd> connected_sockets() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
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
  for (int times = 0; times < 100; ++times) EXPECT_FALSE(full.lend(full.data()).has_value());
  Chunk chunk = pool->allocate(kLentBytes);
  EXPECT_FALSE(chunk.lend(chunk.data()).has_value());
  const Chunk::FilePlace place = lend(chunk);
  chunk.data()[5000] = 42;
  std::uint8_t byte = 0;
  ASSERT_EQ(::pread(place.fd, &byte, 1, static_cast<off_t>(place.offset + 5000)), 1);
  EXPECT_EQ(byte, 42);
}

TEST(ChunkPool, WhatWasSentByReferenceStaysAsItWasWhenTheMemoryIsUsedAgain) {
  const auto pool = ChunkPool::create(kLentBytes);
  const auto [server, client] = connected_sockets();
  Chunk chunk = pool->allocate(kLentBytes);
  std::memset(chunk.data(), 1, kLentBytes);
  const Chunk::FilePlace place = lend(chunk);
  auto offset = static_cast<off_t>(place.offset);
  ASSERT_EQ(::sendfile(server.get(), place.fd, &offset, kLentBytes), static_cast<ssize_t>(kLentBytes));
  const std::uint8_t* const data = chunk.data();
  chunk = Chunk();
  EXPECT_EQ(pool->backed_bytes(), 0u);
  chunk = pool->allocate(kLentBytes);
  ASSERT_EQ(chunk.data(), data);
  std::memset(chunk.data(), 2, kLentBytes);
  std::vector<std::uint8_t> received(kLentBytes);
  ASSERT_EQ(::recv(client.get(), received.data(), received.size(), MSG_WAITALL), static_cast<ssize_t>(kLentBytes));
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
  const auto begin_of_file = [&] {
    Chunk chunk = pool->allocate(kPage);
    return lend(chunk).fd;
  };
  const int short_file = begin_of_file();
  std::uint8_t* const first_full = pool->allocate(ChunkPool::kFullBytes).data();
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
  EXPECT_LE(resident_bytes(first_full, kBudget, short_file), kBudget + (8 << 20)) << "huge pages end between chunks";
  for (const Held& one : held) EXPECT_TRUE(is_whole(one));
}

}  // namespace
}  // namespace reelway::edge
