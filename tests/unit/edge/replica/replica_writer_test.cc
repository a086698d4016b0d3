#include "edge/replica/replica_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/fake_origin.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/edge/replica/records.h"

namespace reelway::edge {
namespace {

class ReplicaWriterTest : public ::testing::Test {
 protected:
  ~ReplicaWriterTest() override { ring_->abandon(); }

  void open(ReplicaWriterOptions options = {}) {
    store_ = std::move(ReplicaStore::open(folder_.at("replica"), 0).value().store);
    writer_ = std::make_unique<ReplicaWriter>(*ring_, workers_, *store_, copy_, options, false);
    copy_.cluster = "c1";
  }
  void put(std::uint32_t number, rights::Revision at) {
    (void)copy_.table->put({entitlement(number), at, rental(at)});
    writer_->changed(entitlement(number));
    copy_.position = at;
    writer_->advanced();
  }
  void replace(std::uint32_t records, rights::Revision at) {
    copy_.table = std::make_unique<ReplicaTable>();
    for (std::uint32_t i = 0; i < records; ++i) (void)copy_.table->put({entitlement(i), at, rental(at)});
    copy_.position = at;
    writer_->replaced();
  }
  void run_until(const std::function<bool()>& has_come_true) {
    ring::Timer again(*ring_);
    const std::function<void()> look = [&] {
      if (has_come_true()) return ring_->stop();
      again.arm(std::chrono::milliseconds(1), look);
    };
    look();
    ring_->run();
  }
  // The worker stands until the latch opens, and there is no room behind what it does.
  std::shared_ptr<testing::Latch> fill_queue() {
    const auto gate = std::make_shared<testing::Latch>();
    const auto begun = std::make_shared<testing::Latch>();
    EXPECT_TRUE(workers_.submit(
        [gate, begun] {
          begun->open();
          gate->wait();
        },
        nullptr));
    begun->wait();
    while (workers_.submit([] {}, nullptr)) {
    }
    return gate;
  }
  void flush() {
    writer_->flush([this] { ring_->stop(); });
    ring_->run();
  }
  void expect_on_disk() {
    store_.reset();
    const auto opened = ReplicaStore::open(folder_.at("replica"), 0);
    ASSERT_TRUE(opened.ok());
    ASSERT_TRUE(opened->loaded.position.has_value());
    EXPECT_EQ(opened->loaded.position->position, copy_.position);
    EXPECT_EQ(opened->loaded.table->root(), copy_.table->root());
  }

  origin::TemporaryFolder folder_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  ReplicaCopy copy_;
  std::unique_ptr<ReplicaStore> store_;
  std::unique_ptr<ReplicaWriter> writer_;
  ring::SideWorkers workers_{*ring_, 1, 4, "test-replica"};
};

// Folders are copied all the while, as the death of the process would leave them.
TEST_F(ReplicaWriterTest, MuchIsCopiedInSlicesAndWrittenWithThePositionOfTheLast) {
  open({.gather_records = 64});
  std::map<rights::Revision, rights::Sum128> roots;
  rights::Revision at = 0;
  const auto put_next = [&](std::uint32_t number) {
    put(number, ++at);
    roots[at] = copy_.table->root();
  };
  for (std::uint32_t i = 0; i < 500; ++i) put_next(i);
  std::vector<std::string> copies;
  run_until([&] {
    (void)copy_.table->erase(entitlement(static_cast<std::uint32_t>(at % 500)), at + 1);
    writer_->changed(entitlement(static_cast<std::uint32_t>(at % 500)));
    put_next(static_cast<std::uint32_t>(at * 7 % 500));
    copies.push_back(folder_.at("copy" + std::to_string(at)));
    std::filesystem::copy(folder_.at("replica"), copies.back(), std::filesystem::copy_options::recursive);
    return writer_->counters().writes >= 3;
  });
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 0u);
  expect_on_disk();
  for (const std::string& copy : copies) {
    const auto opened = ReplicaStore::open(copy, 0);
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE(opened->loaded.set_aside);
    if (!opened->loaded.position) continue;
    EXPECT_EQ(opened->loaded.table->root(), roots.at(opened->loaded.position->position));
  }
}

TEST_F(ReplicaWriterTest, WhatCouldNotBeWrittenIsWrittenLater) {
  open({.gather_records = 16, .retry_min = std::chrono::milliseconds(1)});
  put(1000, 1);
  run_until([&] { return writer_->counters().writes == 1; });
  const auto gate = fill_queue();
  for (rights::Revision at = 2; at <= 200; ++at) put(static_cast<std::uint32_t>(at), at);
  run_until([&] { return writer_->counters().errors >= 2; });
  for (rights::Revision at = 201; at <= 300; ++at) put(static_cast<std::uint32_t>(at - 50), at);
  gate->open();
  run_until([&] { return writer_->counters().writes >= 2; });
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 0u);
  expect_on_disk();
}

TEST_F(ReplicaWriterTest, ATableForWhichTheQueueHasNoRoomIsKeptAndFreedLater) {
  open({.kept_tables_max = 2, .retry_min = std::chrono::milliseconds(1)});
  const auto gate = fill_queue();
  for (int i = 0; i < 4; ++i) writer_->dispose(std::make_unique<ReplicaTable>());
  EXPECT_EQ(writer_->kept_tables(), 2u);
  gate->open();
  run_until([&] { return writer_->kept_tables() == 0; });
  writer_->dispose(std::make_unique<ReplicaTable>());
  EXPECT_EQ(writer_->kept_tables(), 0u);
}

TEST_F(ReplicaWriterTest, AFlushGivesUpALongRewritingThatHasNotBegun) {
  open({.flush_records_max = 5'000});
  replace(10'000, 10);
  run_until([&] { return writer_->counters().rewrites == 1; });
  put(20'000, 11);
  const rights::Sum128 root = copy_.table->root();
  replace(10'000, 20);  // while the former change is being written
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 1u);
  store_.reset();
  const auto opened = ReplicaStore::open(folder_.at("replica"), 0);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->loaded.position.has_value());
  EXPECT_EQ(opened->loaded.position->position, 11);
  EXPECT_EQ(opened->loaded.table->root(), root);
}

TEST_F(ReplicaWriterTest, WhatChangesDuringAWriteGoesIntoTheNextTogether) {
  open();
  for (rights::Revision at = 1; at <= 1000; ++at) put(static_cast<std::uint32_t>(at % 50), at);
  flush();
  EXPECT_EQ(writer_->counters().writes, 2u);
  expect_on_disk();
}

TEST_F(ReplicaWriterTest, AReplacedTableIsWrittenAnewWhileItChanges) {
  open({.slice_records = 64});
  put(5000, 1);
  copy_.table = std::make_unique<ReplicaTable>();
  for (std::uint32_t i = 0; i < 1000; ++i) (void)copy_.table->put({entitlement(i), 10, rental(10)});
  copy_.position = 10;
  writer_->replaced();
  ring::Timer change(*ring_);
  rights::Revision at = 10;
  const std::function<void()> again = [&] {
    if (at == 30) return ring_->stop();
    ++at;
    put(static_cast<std::uint32_t>(at * 13), at);
    (void)copy_.table->erase(entitlement(static_cast<std::uint32_t>(at)), at);
    writer_->changed(entitlement(static_cast<std::uint32_t>(at)));
    change.arm(std::chrono::milliseconds(1), again);
  };
  again();
  ring_->run();
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 1u);
  expect_on_disk();
}

TEST_F(ReplicaWriterTest, ATableReplacedTwiceIsWrittenAsItIsLast) {
  open({.slice_records = 8});
  for (rights::Revision round = 1; round <= 3; ++round) {
    copy_.table = std::make_unique<ReplicaTable>();
    for (std::uint32_t i = 0; i < 100; ++i) {
      (void)copy_.table->put({entitlement(i * static_cast<std::uint32_t>(round)), round, rental(round)});
    }
    copy_.position = round;
    writer_->replaced();
  }
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 1u);
  expect_on_disk();
}

TEST_F(ReplicaWriterTest, MoreChangesThanAreRememberedAreWrittenAnew) {
  open({.changed_max = 10});
  for (rights::Revision at = 1; at <= 500; ++at) put(static_cast<std::uint32_t>(at), at);
  flush();
  EXPECT_EQ(writer_->counters().rewrites, 1u);
  expect_on_disk();
}

TEST_F(ReplicaWriterTest, FlushingNothingIsDoneAndNotAtOnce) {
  open();
  bool done = false;
  writer_->flush([&] {
    done = true;
    ring_->stop();
  });
  EXPECT_FALSE(done);
  ring_->run();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace reelway::edge
