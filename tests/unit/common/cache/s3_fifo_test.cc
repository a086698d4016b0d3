#include "common/cache/s3_fifo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace reelway::cache {
namespace {

using Fifo = S3Fifo<int>;

std::string key(int number) {
  return "/film/v1/video/" + std::to_string(number) + ".m4s";
}

// Inserts within a budget, as an owner does; returns what had to go.
std::vector<std::string> put(Fifo& fifo, std::uint64_t budget, const std::string& name, std::uint64_t bytes) {
  std::vector<std::string> gone;
  while (fifo.bytes() + bytes > budget) {
    auto victim = fifo.evict();
    if (!victim) break;
    gone.push_back(victim->key);
  }
  fifo.insert(name, bytes, 0);
  return gone;
}

TEST(S3Fifo, LeavesInOrderOfArrivalWhenNothingIsTouched) {
  Fifo fifo(100);
  for (int i = 0; i < 5; ++i) fifo.insert(key(i), 20, i);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fifo.evict()->key, key(i));
  EXPECT_FALSE(fifo.evict().has_value());
  EXPECT_EQ(fifo.bytes(), 0u);
}

TEST(S3Fifo, TouchedTwiceMovesToMainAndOutlivesTheRest) {
  Fifo fifo(100);
  for (int i = 0; i < 5; ++i) fifo.insert(key(i), 20, i);
  for (int touch = 0; touch < 2; ++touch) EXPECT_NE(fifo.find_and_touch(key(0)), nullptr);
  fifo.find_and_touch(key(1));  // once is not enough
  EXPECT_EQ(fifo.evict()->key, key(1));
  EXPECT_EQ(fifo.main_bytes(), 20u);
  for (int i = 2; i < 5; ++i) EXPECT_EQ(fifo.evict()->key, key(i));
  const auto last = fifo.evict();
  EXPECT_EQ(last->key, key(0));
  EXPECT_TRUE(last->was_touched);
}

TEST(S3Fifo, AGhostComesBackIntoMain) {
  Fifo fifo(100);
  fifo.insert(key(1), 20, 0);
  EXPECT_EQ(fifo.evict()->key, key(1));
  EXPECT_EQ(fifo.ghosts(), 0u) << "a budget below the least charge remembers nothing";
  Fifo large(1 << 20);
  large.insert(key(1), 200 << 10, 0);
  EXPECT_EQ(large.evict()->key, key(1));
  EXPECT_EQ(large.ghosts(), 1u);
  large.insert(key(1), 200 << 10, 0);
  EXPECT_EQ(large.main_bytes(), 200u << 10);
  EXPECT_EQ(large.ghosts(), 0u);
}

TEST(S3Fifo, GhostsAreBoundedByTheBudget) {
  constexpr std::uint64_t kBudget = 1 << 20;
  Fifo fifo(kBudget);
  for (int i = 0; i < 100'000; ++i) put(fifo, kBudget, key(i), 100);
  EXPECT_LE(fifo.ghosts(), kBudget / GhostQueue::kChargeMin);
}

TEST(S3Fifo, WhatMayNotGoStays) {
  Fifo fifo(100);
  for (int i = 0; i < 5; ++i) fifo.insert(key(i), 20, i);
  const auto odd_only = [](int value) { return value % 2 == 1; };
  EXPECT_EQ(fifo.evict(odd_only)->key, key(1));
  EXPECT_EQ(fifo.evict(odd_only)->key, key(3));
  EXPECT_FALSE(fifo.evict(odd_only).has_value());
  EXPECT_EQ(fifo.bytes(), 60u);
}

TEST(S3Fifo, FindsAVictimInTheOtherQueueWhenOneIsAllInUse) {
  Fifo fifo(1000);
  fifo.insert_in_main(key(1000), 10, 1);
  for (int i = 0; i < 600; ++i) fifo.insert(key(i), 1, 0);  // far over the small queue's share, all in use
  const auto victim = fifo.evict([](int value) { return value == 1; });
  ASSERT_TRUE(victim.has_value());
  EXPECT_EQ(victim->key, key(1000));
}

TEST(S3Fifo, ClearedIsEmpty) {
  Fifo fifo(100);
  fifo.insert(key(1), 20, 0);
  fifo.insert_in_main(key(2), 20, 0);
  fifo.clear();
  EXPECT_EQ(fifo.bytes(), 0u);
  EXPECT_EQ(fifo.entries(), 0u);
  EXPECT_FALSE(fifo.evict().has_value());
  fifo.insert(key(1), 20, 0);
  EXPECT_EQ(fifo.evict()->key, key(1));
}

TEST(S3Fifo, LooksAtALimitedNumberInOneCall) {
  Fifo fifo(1 << 20);
  for (int i = 0; i < 100'000; ++i) fifo.insert(key(i), 1, 0);
  std::size_t looked_at = 0;
  EXPECT_FALSE(fifo.evict([&](int) { return ++looked_at == 0; }).has_value());
  EXPECT_LE(looked_at, 2 * Fifo::kSkipsMax);
}

// A working set that is asked for again and again must survive a scan of many times the budget.
TEST(S3Fifo, AScanLeavesTheWorkingSet) {
  constexpr std::uint64_t kBudget = 100 << 20;
  constexpr std::uint64_t kBytes = 1 << 20;
  Fifo fifo(kBudget);
  constexpr int kHot = 60;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < kHot; ++i) {
      if (fifo.find_and_touch(key(i)) == nullptr) put(fifo, kBudget, key(i), kBytes);
    }
  }
  for (int i = 0; i < 2000; ++i) {
    put(fifo, kBudget, "/scan/" + std::to_string(i), kBytes);
    if (i % 4 == 0) fifo.find_and_touch(key(i / 4 % kHot));
  }
  int left = 0;
  for (int i = 0; i < kHot; ++i) left += fifo.find(key(i)) != nullptr ? 1 : 0;
  EXPECT_EQ(left, kHot);
}

// Bytes and contents against a plain model, over random calls.
TEST(S3Fifo, AccountsForEveryByte) {
  std::mt19937_64 random(7);
  constexpr std::uint64_t kBudget = 4 << 20;
  Fifo fifo(kBudget);
  std::map<std::string, std::uint64_t> model;
  std::uint64_t model_bytes = 0;
  for (int step = 0; step < 100'000; ++step) {
    const std::string name = key(static_cast<int>(random() % 300));
    switch (random() % 4) {
      case 0:
      case 1: {
        if (fifo.find_and_touch(name) != nullptr) break;
        const std::uint64_t bytes = 1 + random() % (256 << 10);
        for (const std::string& gone : put(fifo, kBudget, name, bytes)) {
          ASSERT_EQ(model.count(gone), 1u);
          model_bytes -= model[gone];
          model.erase(gone);
        }
        model[name] = bytes;
        model_bytes += bytes;
        break;
      }
      case 2: fifo.find_and_touch(name); break;
      case 3: {
        if (random() % 8 != 0) break;
        EXPECT_EQ(fifo.remove(name).has_value(), model.count(name) == 1);
        if (model.count(name) == 1) model_bytes -= model[name];
        model.erase(name);
      }
    }
    ASSERT_EQ(fifo.bytes(), model_bytes);
    ASSERT_EQ(fifo.entries(), model.size());
    ASSERT_LE(fifo.bytes(), kBudget);
  }
}

TEST(S3Fifo, EqualCallsGiveEqualVictims) {
  const auto run = [] {
    std::mt19937_64 random(11);
    Fifo fifo(1 << 20);
    std::vector<std::string> gone;
    for (int step = 0; step < 20'000; ++step) {
      const std::string name = key(static_cast<int>(random() % 500));
      if (fifo.find_and_touch(name) != nullptr) continue;
      for (auto& one : put(fifo, 1 << 20, name, 1 + random() % 20'000)) gone.push_back(one);
    }
    return gone;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace reelway::cache
