#include "origin/store/rocksdb_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/origin/store/rocksdb_backend.h"

namespace reelway::origin {
namespace {

INSTANTIATE_TEST_SUITE_P(Rocksdb, ControlStoreConformance,
                         testing::Values(Backend{"rocksdb", [] { return std::make_unique<RocksdbUnderTest>(); }}));

TEST(RocksdbStore, SecondOpenIsRefusedWithTheReason) {
  RocksdbUnderTest first;
  const auto second = open_rocksdb_store(first.directory());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(second.error().detail, testing::HasSubstr(first.directory()));
}

TEST(RocksdbStore, SlowWatchIsLostAndToldSo) {
  RocksdbUnderTest under_test({.watches_max = 2, .backlog_max = 8});
  std::mutex gate;
  WatchLog log;
  const auto collect = log.sink();
  std::unique_lock closed(gate);
  const auto watch = under_test.store().watch("/", 1, [&](const WatchMessage& message) {
    collect(message);
    const std::lock_guard wait(gate);
  });
  ASSERT_TRUE(under_test.store().txn(put_txn("/k", "0")).ok());
  log.wait_for(1);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(under_test.store().txn(put_txn("/k", "x")).ok());
  closed.unlock();
  const std::vector<WatchMessage> messages = log.wait_for(2);
  EXPECT_TRUE(std::holds_alternative<WatchLost>(messages[1]));
}

TEST(RocksdbStore, OneWatchTooManyIsLostAtOnce) {
  RocksdbUnderTest under_test({.watches_max = 1, .backlog_max = 8});
  WatchLog first, second;
  const auto kept = under_test.store().watch("/", 1, first.sink());
  const auto refused = under_test.store().watch("/", 1, second.sink());
  EXPECT_TRUE(std::holds_alternative<WatchLost>(second.wait_for(1)[0]));
}

TEST(RocksdbStore, AWatchMayEndInItsOwnDelivery) {
  RocksdbUnderTest under_test;
  std::unique_ptr<Watch> watch;
  std::mutex guard;
  WatchLog log;
  const auto collect = log.sink();
  {
    const std::lock_guard hold(guard);
    watch = under_test.store().watch("/", 1, [&](const WatchMessage& message) {
      const std::lock_guard wait(guard);
      watch.reset();
      collect(message);
    });
  }
  ASSERT_TRUE(under_test.store().txn(put_txn("/k", "1")).ok());
  log.wait_for(1);
  under_test.close();
  EXPECT_EQ(log.count(), 1u);
}

TEST(RocksdbStore, PutsAreRefusedWholeWhenTheDiskIsFull) {
  TemporaryFolder folder;
  RocksdbStoreOptions options;
  options.directory = folder.at("store");
  options.commit.free_bytes_min = ~0ull;
  auto opened = open_rocksdb_store(options);
  ASSERT_TRUE(opened.ok());
  const Result<TxnReply> reply = (*opened)->txn(put_txn("/k", "1"));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::disk_full);
  EXPECT_FALSE((*opened)->get("/k")->has_value());
  EXPECT_EQ((*opened)->status()->revision, 0);
}

// Damage in the middle of the write-ahead log must be reported: what follows it was acknowledged.
TEST(RocksdbStore, DamageInTheWriteAheadLogIsReported) {
  RocksdbUnderTest under_test;
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(under_test.store().txn(put_txn("/k", std::string(2000, 'x'))).ok());
  const std::string copy = under_test.directory() + "-copy";
  // A copy of the open store's files is what a crash leaves: its log has not been turned into tables.
  std::filesystem::copy(under_test.directory(), copy, std::filesystem::copy_options::recursive);
  int damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(copy)) {
    if (file.path().extension() != ".log" || file.file_size() < 50'000) continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(30'000);
    bytes.put('?').put('?');
    ++damaged;
  }
  ASSERT_EQ(damaged, 1);
  const auto opened = open_rocksdb_store(copy);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::stored_data_corrupt);
}

}  // namespace
}  // namespace reelway::origin
