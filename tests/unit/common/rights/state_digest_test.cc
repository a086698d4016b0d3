#include "common/rights/state_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace reelway::rights {
namespace {

EntitlementId id_of(std::uint32_t number) {
  EntitlementId id{};
  std::mt19937 random(number);
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  return id;
}

TEST(StateDigest, DoesNotDependOnHistory) {
  std::vector<std::uint32_t> order(500);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  StateDigest forth;
  for (const std::uint32_t i : order) forth.add(id_of(i), ordered(Kind::rental, {}, i), i + 1);
  StateDigest back;
  std::reverse(order.begin(), order.end());
  for (const std::uint32_t i : order) {
    back.add(id_of(i), ordered(Kind::purchase, {}, 0), 1);
    back.add(id_of(i), ordered(Kind::rental, {}, i), i + 1);
    back.remove(id_of(i), ordered(Kind::purchase, {}, 0), 1);
  }
  EXPECT_EQ(forth.root(), back.root());
  EXPECT_EQ(forth.buckets(), back.buckets());
  for (const std::uint32_t i : order) back.remove(id_of(i), ordered(Kind::rental, {}, i), i + 1);
  EXPECT_EQ(back.root(), Sum128{});
}

TEST(StateDigest, TheRootIsTheSumOfItsBuckets) {
  StateDigest digest;
  for (std::uint32_t i = 0; i < 1000; ++i) digest.add(id_of(i), ordered(Kind::rental, {}, i), 7);
  Sum128 sum;
  for (const Sum128& bucket : digest.buckets()) sum.add({bucket.low, bucket.high});
  EXPECT_EQ(sum, digest.root());
}

TEST(StateDigest, EveryFieldCounts) {
  const Record record = ordered(Kind::rental, {}, 5);
  const Hash128 hash = record_hash(id_of(1), record, 9);
  Record other = record;
  other.state = State::revoked;
  EXPECT_NE(record_hash(id_of(1), other, 9), hash);
  EXPECT_NE(record_hash(id_of(2), record, 9), hash);
  EXPECT_NE(record_hash(id_of(1), record, 10), hash);
}

}  // namespace
}  // namespace reelway::rights
