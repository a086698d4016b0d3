#include "edge/replica/replica_writer.h"

#include <gtest/gtest.h>

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
