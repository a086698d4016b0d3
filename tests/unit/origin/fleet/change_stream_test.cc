#include "origin/fleet/change_stream.h"

#include <atomic>
#include <random>

#include "tests/unit/origin/fleet/mirror_fixture.h"

namespace reelway::origin {
namespace {

using Kind = StreamBody::Piece::Kind;
using ChangeStreamTest = MirrorFixture;

TEST_F(ChangeStreamTest, GreetsThenSendsWhatFollowsAndThenWaits) {
  start_mirror();
  const Revision first = beat_through();
  put(1);
  const Revision last = beat_through();
  const std::string cluster = mirror_->state().cluster;
  const auto frames = frames_of(changes_after(cluster, first));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(std::get<rights::HelloFrame>(frames[0]), (rights::HelloFrame{cluster, 0, first}));
  const auto& events = std::get<rights::EventsFrame>(frames[1]);
  EXPECT_EQ(events.previous, first);
  EXPECT_EQ(events.revision, first + 1);
  ASSERT_EQ(events.changes.size(), 1u);
  EXPECT_EQ(events.changes[0].id, test_id(1));
  const auto& beat = std::get<rights::BeatFrame>(frames[2]);
  EXPECT_EQ(beat.previous, first + 1);
  EXPECT_EQ(beat.revision, last);
  EXPECT_EQ(beat.origin_time_ms, static_cast<std::int64_t>(turn_) * 1000);
  EXPECT_EQ(beat.records, 1u);
  EXPECT_EQ(beat.root, mirror_->state().root);
  EXPECT_EQ(last_kind_, Kind::nothing_yet);
  EXPECT_EQ(counters_.streams_begun, 1u);
  EXPECT_EQ(counters_.streams_open, 0u);
}

TEST_F(ChangeStreamTest, CallsWhenThereIsMore) {
  start_mirror();
  const Revision first = beat_through();
  ChangeStream body(*mirror_, counters_, {mirror_->state().cluster, first});
  std::atomic<int> calls = 0;
  thread_.call([&] {
    body.begin([&] {
      ++calls;
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
  });
  drain(body);
  const int before = calls;
  put(1);
  wait_until([&] { return calls > before; });
  EXPECT_EQ(frames_of(drain(body)).size(), 1u);
  thread_.call([&] { body.leave(); });
  EXPECT_EQ(mirror_->subscribers(), 1u);  // the fixture's
}

// Positions in the middle, and ones that are no revision of any right.
TEST_F(ChangeStreamTest, AnyPositionBetweenFramesIsTakenUp) {
  start_mirror();
  beat_through();
  const Revision start = put(1);
  for (int i = 0; i < 10; ++i) {
    commit({Operation::put("/v1/other", "x")});
    put(2, i);
  }
  const Revision last = beat_through();
  const std::string cluster = mirror_->state().cluster;
  for (Revision from = start; from <= last; ++from) {
    ReplicaModel replica;
    replica.position = from;
    replica.comparable_from = last + 1;  // its records are not told here
    replica.apply(changes_after(cluster, from));
    EXPECT_EQ(replica.position, last);
    EXPECT_FALSE(replica.gone || replica.moved);
  }
}

TEST_F(ChangeStreamTest, APositionThatFellOffIsGone) {
  MirrorOptions options;
  options.backlog.frames_max = 4;
  start_mirror(options);
  const Revision early = beat_through();
  for (std::uint64_t i = 0; i < 10; ++i) put(i);
  beat_through();
  const MirrorState state = mirror_->state();
  EXPECT_EQ(state.backlog_frames, 4u);
  const auto frames = frames_of(changes_after(state.cluster, early));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(std::get<rights::GoneFrame>(frames[1]).floor, state.start);
  EXPECT_EQ(last_kind_, Kind::end);
  EXPECT_EQ(counters_.streams_gone, 1u);
  EXPECT_EQ(frames_of(changes_after(state.cluster, state.start)).size(), 5u);
}

TEST_F(ChangeStreamTest, ASlowReaderIsToldThatItFellOff) {
  MirrorOptions options;
  options.backlog.frames_max = 4;
  start_mirror(options);
  const Revision first = beat_through();
  ChangeStream body(*mirror_, counters_, {mirror_->state().cluster, first});
  thread_.call([&] { body.begin([] {}); });
  drain(body);
  for (std::uint64_t i = 0; i < 10; ++i) put(i);
  beat_through();
  EXPECT_EQ(std::get<rights::GoneFrame>(frames_of(drain(body)).at(0)).floor, mirror_->state().start);
  EXPECT_EQ(last_kind_, Kind::end);
  thread_.call([&] { body.leave(); });
}

TEST_F(ChangeStreamTest, AnotherClusterOrALaterRevisionHasMoved) {
  start_mirror();
  const Revision last = beat_through();
  const std::string cluster = mirror_->state().cluster;
  for (const ChangeStream::Position& from :
       {ChangeStream::Position{"another", last}, ChangeStream::Position{cluster, last + 1},
        ChangeStream::Position{"", 0}}) {
    const auto frames = frames_of(changes_after(from.cluster, from.revision));
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(std::get<rights::MovedFrame>(frames[1]).cluster, cluster);
    EXPECT_EQ(last_kind_, Kind::end);
  }
  EXPECT_EQ(counters_.streams_moved, 3u);
}

TEST_F(ChangeStreamTest, APositionOutlivesARestartOfTheOrigin) {
  start_mirror();
  ReplicaModel replica;
  beat_through();
  replica.apply(snapshot());
  put(1);
  beat();
  put(2);
  erase(1);
  const std::string cluster = mirror_->state().cluster;
  restart_store();
  start_mirror();
  put(3);
  beat_through();
  replica.apply(changes_after(cluster, replica.position));
  EXPECT_FALSE(replica.gone || replica.moved);
  EXPECT_EQ(replica.events, 4u);
  EXPECT_EQ(replica.beats_compared, 1u);  // those of before the restart are not sent again: their roots are unknown
  EXPECT_EQ(replica.root(), mirror_->state().root);
}

TEST_F(ChangeStreamTest, ReplayIsBoundedAfterARestart) {
  start_mirror();
  const Revision early = beat_through();
  for (std::uint64_t i = 0; i < 30; ++i) put(i);
  const std::string cluster = mirror_->state().cluster;
  restart_store();
  MirrorOptions options;
  options.replay_max = 10;
  start_mirror(options);
  beat_through();
  EXPECT_GT(mirror_->state().start, early);
  EXPECT_TRUE(std::holds_alternative<rights::GoneFrame>(frames_of(changes_after(cluster, early)).back()));
}

TEST_F(ChangeStreamTest, ASnapshotHasEveryRecordOnce) {
  for (std::uint64_t i = 0; i < 3000; i += 100) {
    std::vector<Operation> operations;
    for (std::uint64_t j = i; j < i + 100; ++j) operations.push_back(put_operation(j, static_cast<std::int64_t>(j)));
    commit(std::move(operations));
  }
  start_mirror();
  beat_through();
  ReplicaModel replica;
  replica.apply(snapshot());
  EXPECT_EQ(last_kind_, Kind::end);
  EXPECT_TRUE(replica.ended);
  EXPECT_EQ(replica.records.size(), 3000u);
  EXPECT_EQ(replica.root(), mirror_->state().root);
  EXPECT_EQ(replica.position, mirror_->state().revision);
  EXPECT_EQ(counters_.snapshots_ended, 1u);
  EXPECT_EQ(counters_.records_sent, 3000u);
}

TEST_F(ChangeStreamTest, AnEmptySnapshotIsWhole) {
  start_mirror();
  beat_through();
  ReplicaModel replica;
  replica.apply(snapshot());
  EXPECT_TRUE(replica.ended);
  EXPECT_EQ(replica.records.size(), 0u);
}

TEST_F(ChangeStreamTest, ABucketHasItsRecordsOnly) {
  for (std::uint64_t i = 0; i < 50; ++i) put(i);
  start_mirror();
  const Revision revision = beat_through();
  const std::size_t number = rights::bucket_of(test_id(7));
  const auto frames = frames_of(snapshot({number, 1}));
  ASSERT_EQ(frames.size(), 3u);
  bool found = false;
  for (const auto& record : std::get<rights::RecordsFrame>(frames[1]).records) {
    EXPECT_EQ(rights::bucket_of(record.id), number);
    found = found || record.id == test_id(7);
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(std::get<rights::EndFrame>(frames[2]).revision, revision);
  EXPECT_EQ(counters_.buckets_sent, 1u);
}

TEST_F(ChangeStreamTest, ASnapshotAcrossALoadIsCut) {
  start_mirror();
  beat_through();
  RecordsStream body(*mirror_, counters_, {});
  thread_.call([&] { body.begin([] {}); });
  tapped_->end_watch(WatchCompacted{1});
  wait_until([&] { return mirror_->counters().loads == 2; });
  drain(body);
  EXPECT_EQ(last_kind_, Kind::cut);
  ChangeStream stream(*mirror_, counters_, {mirror_->state().cluster, 1});
  thread_.call([&] { stream.begin([] {}); });
  drain(stream);
  EXPECT_EQ(last_kind_, Kind::cut);  // not MOVED: the position is not known yet
  thread_.call([&] { stream.leave(); });
}

// A copy made in pieces while the store changes, then brought up to date over many short streams: the same root as the
// origin's at every beat, nothing missed and nothing twice.
TEST_F(ChangeStreamTest, ACopyMadeAmidWritesMeetsEveryRoot) {
  for (std::uint64_t i = 0; i < 500; ++i) put(i);
  start_mirror();
  beat_through();
  const std::string cluster = mirror_->state().cluster;
  std::mt19937_64 random(7);
  const auto change = [&] {
    const std::uint64_t id = random() % 600;
    if (random() % 4 == 0) {
      erase(id);
    } else {
      put(id, static_cast<std::int64_t>(random() % 1000));
    }
    if (random() % 5 == 0) beat();
  };
  ReplicaModel replica;
  replica.apply(rights::Frame{rights::HelloFrame{cluster, 0, mirror_->state().revision}});
  std::uint64_t sent = 0;
  rights::Revision end = 0;
  for (std::size_t bucket = 0; bucket < rights::kBuckets; ++bucket) {
    if (bucket % 16 == 0) change();
    const auto copy = mirror_->bucket(bucket);
    replica.apply(rights::Frame{rights::RecordsFrame{copy.records}});
    sent += copy.records.size();
    end = copy.revision;
  }
  replica.apply(rights::Frame{rights::EndFrame{sent, end}});
  for (int round = 0; round < 50; ++round) {
    for (std::uint64_t i = random() % 10; i > 0; --i) change();
    if (round % 7 == 0) beat_through();
    replica.apply(changes_after(cluster, replica.position));
  }
  beat_through();
  replica.apply(changes_after(cluster, replica.position));
  EXPECT_EQ(replica.position, mirror_->state().revision);
  EXPECT_EQ(replica.root(), mirror_->state().root);
  EXPECT_GE(replica.beats_compared, 20u);
}

}  // namespace
}  // namespace reelway::origin
