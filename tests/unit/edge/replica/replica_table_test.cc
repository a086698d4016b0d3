#include "edge/replica/replica_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/rights/title_mark.h"
#include "tests/unit/edge/replica/records.h"

namespace reelway::edge {
namespace {

struct Change {
  rights::EntitlementId id;
  std::optional<rights::Record> record;
  rights::Revision revision;
};

std::vector<Change> random_history(std::mt19937_64& random, std::size_t length) {
  std::vector<Change> history;
  for (std::size_t i = 1; i <= length; ++i) {
    Change change{entitlement(static_cast<std::uint32_t>(random() % 40)), {}, static_cast<rights::Revision>(i)};
    if (random() % 5 != 0) change.record = rental(static_cast<std::int64_t>(random() % 1000 + 1));
    history.push_back(change);
  }
  return history;
}

void apply(ReplicaTable& table, const Change& change) {
  if (change.record) {
    (void)table.put({change.id, change.revision, *change.record});
  } else {
    (void)table.erase(change.id, change.revision);
  }
}

void apply(RecordsModel& model, const Change& change) {
  change.record ? model.put(change.id, *change.record, change.revision) : model.erase(change.id);
}

void expect_same(const ReplicaTable& table, const RecordsModel& model) {
  ASSERT_EQ(table.size(), model.entries.size());
  EXPECT_EQ(table.root(), model.digest.root());
  EXPECT_EQ(table.bucket_sums(), model.digest.buckets());
  for (const auto& [id, entry] : model.entries) {
    const ReplicaTable::Entry* ours = table.find(id);
    ASSERT_NE(ours, nullptr);
    EXPECT_EQ(ours->record, entry.record);
    EXPECT_EQ(ours->mod_revision, entry.mod_revision);
  }
}

TEST(ReplicaTableTest, KnowsWhichTitlesAreWithdrawn) {
  const rights::EntitlementId film = rights::title_mark_id("film"), other = rights::title_mark_id("other");
  ReplicaTable table;
  (void)table.put({entitlement(1), 1, rental(5, rights::State::revoked)});
  EXPECT_TRUE(table.withdrawn().empty());
  (void)table.put({film, 2, rights::title_mark(true)});
  (void)table.put({other, 3, rights::title_mark(false)});
  EXPECT_EQ(table.withdrawn(), WithdrawnTitles{film});
  EXPECT_EQ(table.withdrawals(), 1u);
  // What is older changes nothing.
  (void)table.put({film, 1, rights::title_mark(false)});
  EXPECT_EQ(table.withdrawn(), WithdrawnTitles{film});
  (void)table.put({film, 4, rights::title_mark(false)});
  EXPECT_TRUE(table.withdrawn().empty());
  // Also by a repair, and by being erased.
  const std::vector<rights::ReplicaRecord> repaired{{film, 5, rights::title_mark(true)}};
  (void)table.merge_bucket(rights::bucket_of(film), repaired, 5);
  EXPECT_EQ(table.withdrawn(), WithdrawnTitles{film});
  (void)table.erase(film, 6);
  EXPECT_TRUE(table.withdrawn().empty());
  EXPECT_EQ(table.withdrawals(), 4u);
}

TEST(ReplicaTableTest, EqualsAModelUnderRandomHistories) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ReplicaTable table;
    RecordsModel model;
    for (const Change& change : random_history(random, 300)) {
      apply(table, change);
      apply(model, change);
    }
    expect_same(table, model);
  }
}

// As after a snapshot: it holds later changes than the position from which the stream goes on.
TEST(ReplicaTableTest, AHistoryAppliedAgainToALaterStateEndsTheSame) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto history = random_history(random, 300);
    RecordsModel model;
    std::vector<RecordsModel> states(1);
    for (const Change& change : history) {
      apply(model, change);
      states.push_back(model);
    }
    ReplicaTable table;
    const std::size_t from = random() % 200;
    for (std::size_t bucket = 0; bucket < rights::kBuckets; ++bucket) {
      for (const auto& record : states[from + random() % 100].bucket(bucket)) (void)table.put(record);
    }
    for (std::size_t i = from; i < history.size(); ++i) apply(table, history[i]);
    expect_same(table, model);
  }
}

TEST(ReplicaTableTest, OlderAndEqualRevisionsChangeNothing) {
  ReplicaTable table;
  EXPECT_TRUE(table.put({entitlement(1), 10, rental(100)}));
  EXPECT_FALSE(table.put({entitlement(1), 10, rental(200)}));
  EXPECT_FALSE(table.put({entitlement(1), 9, rental(200)}));
  EXPECT_FALSE(table.erase(entitlement(1), 10));
  EXPECT_FALSE(table.erase(entitlement(2), 10));
  EXPECT_EQ(table.find(entitlement(1))->record, rental(100));
  EXPECT_TRUE(table.erase(entitlement(1), 11));
  EXPECT_EQ(table.find(entitlement(1)), nullptr);
  EXPECT_EQ(table.root(), rights::Sum128{});
}

TEST(ReplicaTableTest, ABucketIsMadeWhatTheOriginHas) {
  // Ids of one bucket.
  const auto id = [](std::uint8_t last) {
    rights::EntitlementId made{};
    made.back() = last;
    return made;
  };
  ReplicaTable table;
  (void)table.put({id(1), 10, rental(100)});  // the same
  (void)table.put({id(2), 10, rental(200)});  // differs at the same revision
  (void)table.put({id(3), 10, rental(300)});  // older than the origin's
  (void)table.put({id(4), 25, rental(400)});  // newer than the origin's answer
  (void)table.put({id(5), 20, rental(500)});  // the origin has it no longer
  (void)table.put({id(6), 21, rental(600)});  // made after the origin's answer
  const std::vector<rights::ReplicaRecord> theirs = {{id(1), 10, rental(100)},
                                                     {id(2), 10, rental(201)},
                                                     {id(3), 11, rental(301)},
                                                     {id(4), 12, rental(401)},
                                                     {id(7), 20, rental(701)}};
  auto changed = table.merge_bucket(0, theirs, 20);
  std::sort(changed.begin(), changed.end());
  EXPECT_EQ(changed, (std::vector{id(2), id(3), id(5), id(7)}));
  RecordsModel expected;
  expected.put(id(1), rental(100), 10);
  expected.put(id(2), rental(201), 10);
  expected.put(id(3), rental(301), 11);
  expected.put(id(4), rental(400), 25);
  expected.put(id(6), rental(600), 21);
  expected.put(id(7), rental(701), 20);
  expect_same(table, expected);
  EXPECT_TRUE(table.merge_bucket(0, theirs, 20).empty());
}

TEST(ReplicaTableTest, BucketsListEveryRecordOnce) {
  ReplicaTable table;
  for (std::uint32_t i = 0; i < 5000; ++i) (void)table.put({entitlement(i), i + 1, rental(i + 1)});
  std::vector<rights::ReplicaRecord> all;
  for (std::size_t bucket = 0; bucket < rights::kBuckets; ++bucket) table.append_bucket(bucket, all);
  ReplicaTable copy;
  for (const auto& record : all) EXPECT_TRUE(copy.put(record));
  EXPECT_EQ(copy.size(), 5000u);
  EXPECT_EQ(copy.root(), table.root());
}

}  // namespace
}  // namespace reelway::edge
