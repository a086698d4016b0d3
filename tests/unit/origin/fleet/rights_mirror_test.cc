#include "origin/fleet/rights_mirror.h"

#include <thread>

#include "common/rights/title_mark.h"
#include "origin/fleet/title_mark.h"
#include "tests/unit/origin/fleet/mirror_fixture.h"

namespace reelway::origin {
namespace {

class RightsMirrorTest : public MirrorFixture {
 protected:
  // The digest of what the store holds, by a reading of its own.
  rights::Sum128 stored_root() {
    rights::StateDigest digest;
    for (std::string after;;) {
      const Page page = store_->range(kEntitlementPrefix, 1000, after).value();
      for (const KeyValue& entry : page.entries) {
        const auto id = rights::parse_entitlement_id(entry.key.substr(kEntitlementPrefix.size()));
        digest.add(*id, *rights::decode(as_bytes(entry.value)), entry.mod_revision);
        after = entry.key;
      }
      if (!page.more) return digest.root();
    }
  }
};

TEST_F(RightsMirrorTest, IsReadyWithTheFirstBeatAfterTheLoad) {
  put(1, 11);
  beat();
  start_mirror();
  wait_until([&] { return mirror_->state().revision >= 2; });
  EXPECT_FALSE(mirror_->ready());  // that beat was there before
  EXPECT_FALSE(mirror_->find(test_id(1)).has_value());
  const Revision revision = beat_through();
  const MirrorState state = mirror_->state();
  EXPECT_EQ(state.revision, revision);
  EXPECT_EQ(state.records, 1u);
  EXPECT_EQ(state.cluster, store_->status()->cluster_id);
  const auto found = mirror_->find(test_id(1));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->mod_revision, 1);
  EXPECT_EQ(found->record, test_record(11));
  EXPECT_FALSE(mirror_->find(test_id(2)).has_value());
}

TEST_F(RightsMirrorTest, HasTheMarksOfTitles) {
  const auto mark = [&](const std::string& title, const std::string& value) {
    return commit({Operation::put(title_mark_key(title), value)});
  };
  put(1);
  mark("off-before", title_mark_json(true));
  start_mirror();
  beat_through();
  EXPECT_EQ(mirror_->state().records, 2u);
  mark("off-since", title_mark_json(true));
  mark("on-again", title_mark_json(false));
  mark("damaged", "{}");
  beat_through();
  const auto withdrawn = [&](const char* title) {
    const auto found = mirror_->find(rights::title_mark_id(title));
    return found && rights::is_withdrawal(found->record);
  };
  EXPECT_TRUE(withdrawn("off-before"));
  EXPECT_TRUE(withdrawn("off-since"));
  EXPECT_FALSE(withdrawn("on-again"));
  EXPECT_TRUE(withdrawn("damaged"));  // what cannot be read permits nothing
  EXPECT_FALSE(withdrawn("never"));
  ReplicaModel replica;
  replica.apply(snapshot());
  EXPECT_EQ(replica.records.size(), 5u);
}

TEST_F(RightsMirrorTest, FollowsPutsChangesAndErasures) {
  start_mirror();
  put(1);
  put(2);
  const Revision changed = put(1, 5);
  erase(2);
  commit({Operation::put("/v1/other", "x"), put_operation(3, 7), put_operation(4, 8)});
  beat_through();
  EXPECT_EQ(mirror_->find(test_id(1))->mod_revision, changed);
  EXPECT_EQ(mirror_->find(test_id(1))->record, test_record(5));
  EXPECT_FALSE(mirror_->find(test_id(2)).has_value());
  EXPECT_EQ(mirror_->state().records, 3u);
  EXPECT_EQ(mirror_->state().root, stored_root());
  const rights::BucketsFrame buckets = mirror_->buckets();
  rights::Sum128 sum;
  for (const auto& bucket : buckets.sums) sum.add({bucket.low, bucket.high});
  EXPECT_EQ(sum, mirror_->state().root);
}

TEST_F(RightsMirrorTest, LoadsWhatIsWrittenWhileItLoads) {
  for (std::uint64_t i = 0; i < 100; ++i) put(i);
  std::uint64_t next = 1000;
  // Between the pages of the load: changes before and behind the place it has come to.
  tapped_->on_range = [&] {
    put(next++);
    put(next % 100, 9);
    erase((next * 7) % 100);
  };
  MirrorOptions options;
  options.page_entries = 10;
  start_mirror(options);
  wait_until([&] { return mirror_->counters().loads == 1; });
  beat_through();
  EXPECT_EQ(hex_text(mirror_->state().root), hex_text(stored_root()));
  EXPECT_GT(next, 1005u);
}

TEST_F(RightsMirrorTest, ARecordThatCannotBeReadIsNoRecord) {
  commit({Operation::put(key_of(1), "rubbish")});
  commit({Operation::put(std::string(kEntitlementPrefix) + "no-id", "x")});
  put(2);
  start_mirror();
  beat_through();
  EXPECT_EQ(mirror_->counters().corrupt_records, 2u + 1u);  // once at the load, once by the replayed log
  put(3);
  commit({Operation::put(key_of(3), "rubbish")});
  commit({Operation::put(std::string(kBeatKey), "rubbish")});
  beat_through();
  EXPECT_FALSE(mirror_->find(test_id(1)).has_value());
  EXPECT_TRUE(mirror_->find(test_id(2)).has_value());
  EXPECT_FALSE(mirror_->find(test_id(3)).has_value());
}

TEST_F(RightsMirrorTest, ALostWatchGoesOnWithoutAHole) {
  start_mirror();
  put(1);
  const Revision from = beat_through();
  const std::string cluster = mirror_->state().cluster;
  ReplicaModel replica;
  replica.apply(snapshot());
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Revision last = put(100 + i);
    // Now and then it makes progress: one that never does is another matter.
    if (i % 2 == 0) wait_until([&] { return mirror_->state().revision >= last; });
    tapped_->end_watch(WatchLost{"as the test wants it"});
    put(200 + i);
  }
  beat_through();
  EXPECT_EQ(mirror_->state().root, stored_root());
  EXPECT_EQ(mirror_->counters().loads, 1u);
  replica.apply(changes_after(cluster, from));
  EXPECT_EQ(replica.events, 40u);
  EXPECT_EQ(replica.root(), stored_root());
}

TEST_F(RightsMirrorTest, ALogThatCannotBeReadIsLeftBehind) {
  start_mirror();
  put(1, 5);
  const Revision position = beat_through();
  const std::string cluster = mirror_->state().cluster;
  ReplicaModel replica;
  replica.apply(snapshot());
  tapped_->unreadable = position + 1;
  const Revision changed = put(1, 9);
  ASSERT_EQ(changed, position + 1);
  wait_until([&] { return mirror_->counters().loads == 2; });
  EXPECT_EQ(mirror_->counters().watches_lost, 3u);
  EXPECT_EQ(mirror_->state().start, changed);
  beat_through();
  EXPECT_EQ(mirror_->find(test_id(1))->record, test_record(9));
  EXPECT_EQ(mirror_->state().root, stored_root());
  // An edge learns that its position is gone, and its next snapshot has the change.
  replica.apply(changes_after(cluster, position));
  EXPECT_TRUE(replica.gone);
  ReplicaModel renewed;
  renewed.apply(snapshot());
  EXPECT_EQ(renewed.root(), stored_root());
  put(2);
  beat_through();
  renewed.apply(changes_after(cluster, renewed.position));
  EXPECT_EQ(renewed.root(), stored_root());
  EXPECT_EQ(mirror_->counters().loads, 2u);
}

TEST_F(RightsMirrorTest, ACompactedPositionLoadsAnew) {
  start_mirror();
  put(1);
  beat_through();
  const std::string cluster = mirror_->state().cluster;
  put(2);
  const Revision last = beat();
  ASSERT_TRUE(store_->compact(last).ok());
  tapped_->end_watch(WatchCompacted{last});
  wait_until([&] { return mirror_->counters().loads == 2; });
  beat_through();
  EXPECT_EQ(mirror_->state().root, stored_root());
  EXPECT_EQ(mirror_->state().start, last - 1);
  ReplicaModel replica;
  replica.position = 1;
  replica.apply(changes_after(cluster, 1));
  EXPECT_TRUE(replica.gone);
}

TEST_F(RightsMirrorTest, AStoreThatFailsIsAskedAgain) {
  put(1);
  tapped_->failing = true;
  start_mirror();
  while (mirror_->counters().store_failures < 2) std::this_thread::yield();
  EXPECT_FALSE(mirror_->ready());
  tapped_->failing = false;
  wait_until([&] { return mirror_->counters().loads == 1; });
  beat_through();
  EXPECT_TRUE(mirror_->find(test_id(1)).has_value());
}

TEST_F(RightsMirrorTest, KeepsTheRootsOfTheLastBeats) {
  MirrorOptions options;
  options.roots_kept = 2;
  start_mirror(options);
  const Revision first = beat_through();
  put(1);
  const Revision second = beat_through();
  const rights::Sum128 root = mirror_->state().root;
  put(2);
  beat_through();
  EXPECT_EQ(mirror_->root_at(first), std::nullopt);
  EXPECT_EQ(mirror_->root_at(second), root);
  EXPECT_EQ(mirror_->root_at(second + 1), std::nullopt);
}

}  // namespace
}  // namespace reelway::origin
