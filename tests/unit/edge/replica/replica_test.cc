#include "edge/replica/replica.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "edge/net/upstream_pool.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/edge/replica/frame_origin.h"
#include "tests/unit/edge/replica/test_clock.h"

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct SeededRandom final : Random {
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine());
  }
  std::mt19937_64 engine{7};
};

struct Decided final : Rights::Waiter {
  void rights_decided(Result<void> decision) override {
    error = decision.ok() ? ErrorCode::usage : decision.error().code;
  }
  std::optional<ErrorCode> error;  // usage: allowed
};

// A replica that follows an origin whose faults the tests choose. The ring runs until something has come true.
class ReplicaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", origin_.port());
    options.name = "origin";
    options.connections_max = 8;
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
    options_.directory = folder_.at("replica");
    options_.client.backoff_min = milliseconds(1);
    options_.client.backoff_max = milliseconds(5);
  }
  void TearDown() override {
    if (replica_) stop();
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    replica_.reset();
    ring_->abandon();
  }

  void open() {
    auto opened = Replica::open(*ring_, clock_, random_, options_);
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    replica_ = std::move(opened).value();
  }
  void start() {
    open();
    replica_->start(*pool_, [](std::string_view method, std::string_view path) {
      return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    });
  }
  void stop() {
    replica_->stop([this] { ring_->stop(); });
    ring_->run();
  }
  void run_until(const std::function<bool()>& has_come_true) {
    ring::Timer again(*ring_);
    const std::function<void()> look = [&] {
      if (has_come_true()) return ring_->stop();
      again.arm(milliseconds(1), look);
    };
    look();
    ring_->run();
  }
  // Until a beat made from now on has been compared with success.
  void run_until_in_step() {
    const rights::Revision at = origin_.beat();
    const std::uint64_t matched = counters().beats_matched;
    run_until([&, looks = 0]() mutable {
      if (++looks % 5 == 0) origin_.beat();
      return state().revision >= at && counters().beats_matched > matched;
    });
    expect_in_step();
  }
  void expect_in_step() {
    const RecordsModel model = origin_.model();
    EXPECT_EQ(state().root, rights::hex_text(model.digest.root()));
    EXPECT_EQ(state().records, model.entries.size());
  }
  ReplicaState state() const { return replica_->state(); }
  ReplicaCounters counters() const { return replica_->state().client; }
  ErrorCode decide(std::uint32_t number, rights::Revision claim = 1) {
    Decided decided;
    const auto at_once = replica_->rights().decide({entitlement(number), claim}, decided);
    if (at_once) return at_once->ok() ? ErrorCode::usage : at_once->error().code;
    run_until([&] { return decided.error.has_value(); });
    return *decided.error;
  }
  std::int64_t later() const { return clock_.wall_s() + 1000; }
  void put_some(std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) origin_.put(entitlement(i), rental(later() + i));
  }

  MovedClock clock_;
  SeededRandom random_;
  origin::TemporaryFolder folder_;
  FrameOrigin origin_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  ReplicaOptions options_;
  std::unique_ptr<UpstreamPool> pool_;
  std::unique_ptr<Replica> replica_;
};

TEST_F(ReplicaTest, AnEmptyOneTakesASnapshotAndFollows) {
  put_some(0, 500);
  start();
  EXPECT_FALSE(replica_->ready());
  EXPECT_EQ(decide(1), ErrorCode::rights_too_stale);
  run_until_in_step();
  EXPECT_TRUE(replica_->ready());
  EXPECT_LT(*state().staleness, milliseconds(4'000));
  put_some(500, 520);
  origin_.put(entitlement(3), rental(later(), rights::State::revoked));
  origin_.erase(entitlement(4));
  run_until_in_step();
  EXPECT_EQ(counters().snapshots, 1u);
  EXPECT_EQ(counters().changes, 22u);
  EXPECT_EQ(counters().reconnects, 0u);
  EXPECT_EQ(decide(2), ErrorCode::usage);
  EXPECT_EQ(decide(510), ErrorCode::usage);
  EXPECT_EQ(decide(3), ErrorCode::entitlement_revoked);
  EXPECT_EQ(state().phase, "following");
  const std::string parts = replica_->edge_state_header_parts();
  const std::string expected =
      "revision=" + std::to_string(origin_.revision()) + "; records=519; root=" + state().root + "; staleness_ms=";
  EXPECT_EQ(parts.substr(0, expected.size()), expected);
  EXPECT_NE(parts.find("; repairs=0; snapshots=1"), std::string::npos);
}

TEST_F(ReplicaTest, CutAtRandomBytesMissesNothingAndAppliesNothingTwice) {
  start();
  run_until_in_step();
  std::mt19937_64 bytes(3);
  constexpr int kCuts = 150;
  origin_.faults([&](FrameOrigin::Faults& faults) {
    for (int i = 0; i < kCuts; ++i) faults.cuts.push_back(bytes() % 700);
  });
  origin_.cut_all();
  std::uint64_t changes = 0;
  std::uint32_t next = 0;
  run_until([&] {
    if (origin_.all_cuts_made()) return true;
    ++changes;
    if (++next % 3 == 0) {
      origin_.erase(entitlement(next - 1));
    } else {
      origin_.put(entitlement(next), rental(later() + next));
    }
    if (next % 4 == 0) origin_.beat();
    return false;
  });
  run_until_in_step();
  EXPECT_GE(counters().reconnects, static_cast<std::uint64_t>(kCuts));
  EXPECT_EQ(counters().changes, changes);
  EXPECT_EQ(counters().changes_skipped, 0u);
  EXPECT_EQ(counters().snapshots, 1u);
  EXPECT_EQ(counters().mismatches, 0u);
  EXPECT_EQ(counters().gaps, 0u);
}

// A small stream, cut behind each of its first bytes in turn: each attempt resumes from what the former brought.
TEST_F(ReplicaTest, CutAtEveryByteOfAFrame) {
  start();
  run_until_in_step();
  put_some(0, 3);
  const rights::Revision at = origin_.revision();
  origin_.faults([](FrameOrigin::Faults& faults) {
    for (std::size_t byte = 0; byte < 120; ++byte) faults.cuts.push_back(byte);
  });
  origin_.cut_all();
  run_until([&] {
    origin_.beat();  // so that there is something to be cut
    return origin_.all_cuts_made() && state().revision >= at;
  });
  run_until_in_step();
  EXPECT_EQ(counters().changes, 3u);
  EXPECT_EQ(counters().changes_skipped, 0u);
  EXPECT_EQ(counters().snapshots, 1u);
  EXPECT_EQ(counters().mismatches, 0u);
}

TEST_F(ReplicaTest, GoneIsHealedByASnapshotAndTheOldTableServesMeanwhile) {
  put_some(0, 10);
  start();
  run_until_in_step();
  const auto gate = std::make_shared<testing::Latch>();
  origin_.faults([&](FrameOrigin::Faults& faults) {
    faults.gone = true;
    faults.snapshot_gate = gate;
  });
  origin_.cut_all();
  origin_.put(entitlement(20), rental(later()));
  run_until([&] { return counters().gone == 1 && origin_.asked("snapshot") == 2; });
  EXPECT_EQ(decide(5), ErrorCode::usage);
  EXPECT_EQ(state().records, 10u);
  gate->open();
  run_until_in_step();
  EXPECT_EQ(counters().snapshots, 2u);
  EXPECT_EQ(state().records, 11u);
}

TEST_F(ReplicaTest, AnotherClusterReplacesEverything) {
  put_some(0, 10);
  start();
  run_until_in_step();
  RecordsModel other;
  other.put(entitlement(77), rental(later()), 3);
  origin_.become("c2", other, 4);
  run_until([&] { return counters().snapshots == 2; });
  run_until_in_step();
  EXPECT_EQ(counters().moved, 1u);
  EXPECT_EQ(state().cluster, "c2");
  EXPECT_EQ(state().records, 1u);
  EXPECT_EQ(decide(77), ErrorCode::usage);
}

TEST_F(ReplicaTest, TheClockOfAnotherClusterGoesWithIt) {
  start();
  run_until_in_step();
  const std::uint64_t matched = counters().beats_matched;
  origin_.beat(-3'600'000);  // an hour ahead
  run_until([&] { return counters().beats_matched > matched; });
  EXPECT_GE(replica_->clock().wall_ms(), SystemClock{}.wall_ms() + 3'500'000);
  origin_.become("c2", {}, 4);
  run_until([&] { return counters().snapshots == 2; });
  run_until_in_step();
  stop();
  replica_.reset();
  open();
  EXPECT_EQ(state().cluster, "c2");
  EXPECT_LT(replica_->clock().wall_ms(), SystemClock{}.wall_ms() + 60'000);
}

TEST_F(ReplicaTest, ARevisionThatWentBackReplacesEverything) {
  put_some(0, 10);
  start();
  run_until_in_step();
  RecordsModel restored;
  restored.put(entitlement(1), rental(later()), 2);
  origin_.become("c1", restored, 2);
  run_until([&] { return counters().snapshots == 2; });
  run_until_in_step();
  EXPECT_EQ(state().records, 1u);
}

TEST_F(ReplicaTest, AMissingFrameShowsAndIsFetched) {
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.skip_one = true; });
  put_some(0, 3);
  run_until_in_step();
  EXPECT_EQ(counters().gaps, 1u);
  EXPECT_EQ(counters().reconnects, 1u);
  EXPECT_EQ(counters().changes, 3u);
  EXPECT_EQ(counters().mismatches, 0u);
}

TEST_F(ReplicaTest, ADamagedFrameIsRefusedAndFetchedAgain) {
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.flip_bit = true; });
  put_some(0, 3);
  run_until_in_step();
  EXPECT_EQ(counters().malformed, 1u);
  EXPECT_EQ(counters().reconnects, 1u);
  EXPECT_EQ(counters().changes, 3u);
}

TEST_F(ReplicaTest, AMismatchIsRepairedByBucketAndCounted) {
  put_some(0, 200);
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.lie = true; });
  put_some(300, 301);
  origin_.beat();
  run_until([&] { return counters().repairs == 1; });
  run_until_in_step();
  EXPECT_EQ(counters().mismatches, 1u);
  EXPECT_EQ(counters().repaired_buckets, 1u);
  EXPECT_EQ(counters().snapshots, 1u);
  EXPECT_EQ(counters().reconnects, 0u);
  stop();
  replica_.reset();
  open();
  expect_in_step();  // on disk, too
}

TEST_F(ReplicaTest, RepairsThatDoNotHelpEndInASnapshot) {
  put_some(0, 20);
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) {
    faults.lie = true;
    faults.buckets_lie = true;
  });
  put_some(300, 301);
  run_until([&, beats = 0]() mutable {
    if (++beats % 20 == 0) origin_.beat();
    return counters().snapshots == 2;
  });
  run_until_in_step();
  EXPECT_GE(counters().repairs, 1u);
  EXPECT_GE(counters().mismatches, 3u);
}

TEST_F(ReplicaTest, WhenTooMuchDiffersASnapshotIsTaken) {
  put_some(0, 20);
  options_.client.repair_buckets_max = 0;
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.lie = true; });
  put_some(300, 301);
  run_until([&, beats = 0]() mutable {
    if (++beats % 20 == 0) origin_.beat();
    return counters().snapshots == 2;
  });
  run_until_in_step();
  EXPECT_EQ(counters().repairs, 0u);
}

TEST_F(ReplicaTest, ARepairThatFailsIsCountedAndTriedAgain) {
  put_some(0, 20);
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) {
    faults.lie = true;
    faults.not_ready = 1;
  });
  put_some(300, 301);
  origin_.beat();
  run_until([&] { return counters().repairs_failed == 1; });
  origin_.beat();
  run_until([&] { return counters().repairs == 1; });
  run_until_in_step();
  EXPECT_EQ(counters().repairs_failed, 1u);
  EXPECT_EQ(counters().snapshots, 1u);
}

// The position was good, so the stream goes on from it, and the origin is not asked for snapshot after snapshot.
TEST_F(ReplicaTest, AHealingSnapshotThatFailsGivesTheStreamBack) {
  put_some(0, 20);
  options_.client.repair_buckets_max = 0;
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) {
    faults.lie = true;
    faults.snapshots_cut = 1'000'000;
  });
  put_some(300, 301);
  const auto beat_until = [this](const std::function<bool()>& has_come_true) {
    run_until([&, looks = 0]() mutable {
      if (++looks % 5 == 0) origin_.beat();
      return has_come_true();
    });
  };
  beat_until([&] { return counters().reconnects == 1; });
  put_some(400, 410);
  beat_until([&] { return state().records == 31; });
  const std::uint64_t mismatches = counters().mismatches;
  beat_until([&] { return counters().mismatches >= mismatches + 5; });
  EXPECT_EQ(origin_.asked("snapshot"), 2);
  EXPECT_EQ(counters().snapshots, 1u);
  clock_.moved += options_.client.healing_snapshot_interval;
  beat_until([&] { return origin_.asked("snapshot") == 3 && state().phase == "following"; });
  origin_.faults([](FrameOrigin::Faults& faults) { faults.snapshots_cut = 0; });
  clock_.moved += options_.client.healing_snapshot_interval;
  beat_until([&] { return counters().snapshots == 2; });
  run_until_in_step();
  EXPECT_EQ(origin_.asked("snapshot"), 4);
}

TEST_F(ReplicaTest, ASnapshotThatGoneAskedForIsBegunAnewWhenItFails) {
  put_some(0, 10);
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) {
    faults.gone = true;
    faults.snapshots_cut = 3;
  });
  origin_.cut_all();
  run_until([&] { return counters().snapshots == 2; });
  EXPECT_EQ(origin_.asked("snapshot"), 5);
  run_until_in_step();
  EXPECT_EQ(origin_.asked("stream"), 3);
}

TEST_F(ReplicaTest, ASnapshotNewerThanItsPositionIsComparedFromItsEndOn) {
  put_some(0, 5);
  origin_.beat();
  put_some(0, 3);
  origin_.erase(entitlement(4));
  origin_.beat();
  put_some(10, 12);
  origin_.faults([](FrameOrigin::Faults& faults) { faults.snapshot_lag = 12; });
  start();
  run_until_in_step();
  EXPECT_EQ(counters().mismatches, 0u);
  EXPECT_GT(counters().changes_skipped, 0u);
}

TEST_F(ReplicaTest, SilenceIsABreak) {
  options_.client.silence_max = milliseconds(50);
  start();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.silent = true; });
  run_until([&] { return counters().silences >= 1; });
  origin_.put(entitlement(1), rental(later()));
  run_until([&] { return state().records == 1; });
  EXPECT_EQ(counters().snapshots, 1u);
}

TEST_F(ReplicaTest, AnOriginThatIsNotReadyIsAskedAgain) {
  origin_.faults([](FrameOrigin::Faults& faults) { faults.not_ready = 3; });
  start();
  run_until([&] { return counters().snapshots == 1; });
  EXPECT_EQ(counters().reconnects, 3u);
  run_until_in_step();
}

// The folder is copied while the replica runs, as the death of the process would leave it.
TEST_F(ReplicaTest, AfterADeathItGoesOnFromItsPosition) {
  put_some(0, 50);
  start();
  run_until_in_step();
  run_until([&] { return state().writer.rewrites == 1; });
  std::uint64_t changes = 0;
  for (int death = 0; death < 10; ++death) {
    const std::uint64_t writes = state().writer.writes;
    put_some(100, 110);
    run_until([&] { return state().writer.writes > writes; });
    const std::string copy = folder_.at("copy" + std::to_string(death));
    fs::copy(options_.directory, copy, fs::copy_options::recursive);
    stop();
    replica_.reset();
    options_.directory = copy;
    put_some(200, 205);
    start();
    EXPECT_GE(state().records, 50u);
    run_until_in_step();
    EXPECT_EQ(counters().snapshots, 0u);
    EXPECT_EQ(counters().mismatches, 0u);
    EXPECT_EQ(state().writer.set_aside, 0u);
    changes += counters().changes;
  }
  EXPECT_GE(changes, 50u);
}

TEST_F(ReplicaTest, AfterARestartStalenessIsTakenFromTheLastBeat) {
  put_some(0, 5);
  start();
  run_until_in_step();
  stop();
  replica_.reset();
  clock_.moved = std::chrono::minutes(10);
  open();
  EXPECT_GE(*state().staleness, std::chrono::minutes(10));
  EXPECT_EQ(decide(2), ErrorCode::usage);
  EXPECT_EQ(decide(4000), ErrorCode::usage);  // unseen: the token's word counts
  replica_.reset();
  clock_.moved = std::chrono::hours(25);
  open();
  EXPECT_EQ(decide(4000), ErrorCode::rights_too_stale);
  replica_.reset();
  clock_.moved = -std::chrono::hours(1);
  open();
  EXPECT_LT(*state().staleness, std::chrono::minutes(1));
  EXPECT_GE(replica_->clock().wall_ms(), SystemClock{}.wall_ms() - 60'000);
}

TEST_F(ReplicaTest, WithTheOriginGoneStartedRentalsPlayOnAndRefusalsStay) {
  put_some(0, 5);
  origin_.put(entitlement(5), rental(later(), rights::State::revoked));
  start();
  run_until_in_step();
  origin_.faults([](FrameOrigin::Faults& faults) { faults.not_ready = 1'000'000; });
  origin_.cut_all();
  run_until([&] { return counters().reconnects > 0; });
  clock_.moved = std::chrono::minutes(10);
  EXPECT_GE(*state().staleness, std::chrono::minutes(10));
  EXPECT_EQ(decide(2), ErrorCode::usage);
  EXPECT_EQ(decide(5), ErrorCode::entitlement_revoked);
  EXPECT_FALSE(replica_->rights().still_allowed({entitlement(5), 1}));
  EXPECT_TRUE(replica_->rights().still_allowed({entitlement(2), 1}));
  clock_.moved = std::chrono::minutes(20);
  EXPECT_EQ(decide(2), ErrorCode::rental_play_time_passed);  // it had 1000 s
  EXPECT_TRUE(state().stale_alarm);
  clock_.moved = milliseconds(0);
  origin_.faults([](FrameOrigin::Faults& faults) { faults.not_ready = 0; });
  run_until_in_step();
}

// Beats from a backlog are as old as they say, however late they come.
TEST_F(ReplicaTest, ABacklogOfBeatsDoesNotMakeTheReplicaFresh) {
  start();
  run_until([&] { return counters().snapshots == 1; });
  const rights::Revision at = origin_.beat(600'000);
  run_until([&] { return state().revision >= at; });
  EXPECT_EQ(counters().beats_matched, 1u);
  EXPECT_GE(*state().staleness, milliseconds(590'000));
  run_until_in_step();
  EXPECT_LT(*state().staleness, milliseconds(4'000));
}

TEST_F(ReplicaTest, ADamagedDurableFormIsACleanNewStart) {
  put_some(0, 50);
  start();
  run_until_in_step();
  run_until([&] { return state().writer.rewrites == 1; });
  stop();
  replica_.reset();
  std::ofstream(options_.directory + "/CURRENT", std::ios::trunc) << "MANIFEST-damaged\n";
  start();
  EXPECT_EQ(state().writer.set_aside, 1u);
  EXPECT_FALSE(replica_->ready());
  run_until_in_step();
  EXPECT_EQ(counters().snapshots, 1u);
}

}  // namespace
}  // namespace reelway::edge
