#include "origin/fleet/beat_writer.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/unit/origin/fleet/mirror_fixture.h"

namespace reelway::origin {
namespace {

class BeatWriterTest : public ::testing::Test {
 protected:
  BeatWriterTest() : store_(open_rocksdb_store(folder_.at("store")).value()), tapped_(*store_) {}

  BeatWriter::Time time() {
    return {[this] { return now_ms_.load(); }, [this](std::int64_t seen) { observed_ms_ = seen; }};
  }
  Beat stored() { return parse_beat(store_->get(kBeatKey).value()->value).value(); }
  void store(const std::string& value) {
    Txn txn;
    txn.then_operations = {Operation::put(std::string(kBeatKey), value)};
    ASSERT_TRUE(store_->txn(txn).ok());
  }

  TemporaryFolder folder_;
  std::unique_ptr<ControlStore> store_;
  TappedStore tapped_;
  std::atomic<std::int64_t> now_ms_ = 1'000;
  std::atomic<std::int64_t> observed_ms_ = -1;
};

TEST_F(BeatWriterTest, WritesTimeAndTurn) {
  BeatWriter writer(tapped_, time());
  ASSERT_TRUE(writer.recover().ok());
  EXPECT_EQ(observed_ms_, -1);
  ASSERT_TRUE(writer.write().ok());
  EXPECT_EQ(stored(), (Beat{1'000, 0}));
  now_ms_ = 2'000;
  ASSERT_TRUE(writer.write().ok());
  EXPECT_EQ(stored(), (Beat{2'000, 1}));
  EXPECT_EQ(writer.counters().written, 2u);
}

TEST_F(BeatWriterTest, TheStoredTimeIsObservedAndNeverGoesBack) {
  store(to_json(Beat{90'000, 7}));
  BeatWriter writer(tapped_, time());
  ASSERT_TRUE(writer.recover().ok());
  EXPECT_EQ(observed_ms_, 90'000);
  ASSERT_TRUE(writer.write().ok());
  EXPECT_EQ(stored(), (Beat{90'000, 8}));
}

TEST_F(BeatWriterTest, ATurnThatAnotherOriginWroteIsLeftToIt) {
  BeatWriter writer(tapped_, time());
  ASSERT_TRUE(writer.write().ok());
  BeatWriter other(tapped_, time());
  ASSERT_TRUE(other.write().ok());
  EXPECT_EQ(writer.write().value(), BeatWriter::Turn::outrun);
  EXPECT_EQ(stored().turn, 1u);
  EXPECT_EQ(writer.write().value(), BeatWriter::Turn::written);
  EXPECT_EQ(stored().turn, 2u);
  EXPECT_EQ(writer.counters().outrun, 1u);
}

TEST_F(BeatWriterTest, AFailingStoreIsCountedAndTriedAgain) {
  BeatWriter writer(tapped_, time());
  tapped_.failing = true;
  EXPECT_EQ(writer.write().error().code, ErrorCode::store_unavailable);
  tapped_.failing = false;
  EXPECT_TRUE(writer.write().ok());
  EXPECT_EQ(writer.counters().failed, 1u);
}

TEST_F(BeatWriterTest, ADamagedBeatIsNamed) {
  for (const std::string text : {"", "7", "{}", R"({"format":2,"time_ms":1,"turn":1})", R"({"format":1,"time_ms":1})",
                                 R"({"format":1,"time_ms":-1,"turn":1})", R"({"format":1,"time_ms":1.5,"turn":1})",
                                 R"({"format":1,"time_ms":18446744073709551615,"turn":1})"}) {
    const auto beat = parse_beat(text);
    ASSERT_FALSE(beat.ok()) << text;
    EXPECT_EQ(beat.error().code, ErrorCode::stored_data_corrupt);
    EXPECT_NE(beat.error().detail.find(kBeatKey), std::string::npos);
  }
  store("rubbish");
  BeatWriter writer(tapped_, time());
  EXPECT_EQ(writer.recover().error().code, ErrorCode::stored_data_corrupt);
}

TEST_F(BeatWriterTest, TheThreadBeatsUntilItIsStopped) {
  std::mutex mutex;
  std::condition_variable changed;
  int beats = 0;
  const auto watch = store_->watch(std::string(kBeatKey), 1, [&](const WatchMessage& message) {
    if (!std::holds_alternative<WatchBatch>(message)) return;
    const std::lock_guard lock(mutex);
    ++beats;
    changed.notify_all();
  });
  BeatWriter writer(tapped_, time(), std::chrono::milliseconds(1));
  ASSERT_TRUE(writer.recover().ok());
  writer.start();
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return beats >= 3; }));
  }
  writer.stop();
  const std::uint64_t written = writer.counters().written;
  EXPECT_GE(written, 3u);
  EXPECT_EQ(stored().turn + 1, written);
}

}  // namespace
}  // namespace reelway::origin
