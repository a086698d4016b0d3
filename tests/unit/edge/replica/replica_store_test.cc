#include "edge/replica/replica_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"
#include "tests/unit/edge/replica/records.h"

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;

StoredPosition position_of(const RecordsModel& model, rights::Revision at) {
  return {"c1", 0, at, at, at * 1000, model.entries.size(), model.digest.root()};
}

class ReplicaStoreTest : public ::testing::Test {
 protected:
  ReplicaStore::Opened open(const std::string& name = "replica", std::uint32_t shard = 0) {
    auto opened = ReplicaStore::open(folder_.at(name), shard);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : describe(opened.error()));
    return std::move(opened).value();
  }
  // The next random change, in the model and as the store takes it.
  StoredChange change(rights::Revision at) {
    const auto id = entitlement(static_cast<std::uint32_t>(random_() % 60));
    if (random_() % 5 == 0) {
      model_.erase(id);
      return {id, {}};
    }
    const rights::Record record = rental(static_cast<std::int64_t>(random_() % 1000 + 1));
    model_.put(id, record, at);
    return {id, ReplicaTable::Entry{record, at}};
  }
  void write_one(ReplicaStore& store, rights::Revision at) {
    const StoredChange one = change(at);
    ASSERT_TRUE(store.apply({&one, 1}, position_of(model_, at)).ok());
  }
  void expect_loaded(const LoadedReplica& loaded, const RecordsModel& model, rights::Revision at) {
    ASSERT_TRUE(loaded.position.has_value());
    EXPECT_EQ(*loaded.position, position_of(model, at));
    EXPECT_EQ(loaded.table->root(), model.digest.root());
    EXPECT_EQ(loaded.table->size(), model.entries.size());
  }
  // As the death of the process leaves it: nothing is closed, nothing is flushed.
  std::string copy_folder(const std::string& name) {
    fs::copy(folder_.at("replica"), folder_.at(name), fs::copy_options::recursive);
    fs::remove(folder_.at(name) + "/LOCK");
    return name;
  }

  origin::TemporaryFolder folder_;
  std::mt19937_64 random_{1};
  RecordsModel model_;
};

TEST_F(ReplicaStoreTest, ANewOneIsEmpty) {
  const auto opened = open();
  EXPECT_FALSE(opened.loaded.position.has_value());
  EXPECT_FALSE(opened.loaded.set_aside);
  EXPECT_EQ(opened.loaded.table->size(), 0u);
}

TEST_F(ReplicaStoreTest, AfterADeathAtAnyPointItIsWholeAtItsPosition) {
  auto opened = open();
  for (rights::Revision at = 1; at <= 300; ++at) {
    write_one(*opened.store, at);
    if (at % 20 != 0) continue;
    const auto after = open(copy_folder("copy" + std::to_string(at)));
    expect_loaded(after.loaded, model_, at);
  }
}

TEST_F(ReplicaStoreTest, AGenerationCountsOnlyWhenItIsFinished) {
  auto opened = open();
  for (rights::Revision at = 1; at <= 50; ++at) write_one(*opened.store, at);
  const RecordsModel old = model_;
  ASSERT_TRUE(opened.store->begin_generation().ok());
  std::vector<rights::ReplicaRecord> records;
  model_ = {};
  for (std::uint32_t i = 100; i < 200; ++i) {
    records.push_back({entitlement(i), 60, rental(i)});
    model_.put(entitlement(i), rental(i), 60);
  }
  ASSERT_TRUE(opened.store->add(records).ok());
  expect_loaded(open(copy_folder("before")).loaded, old, 50);
  const StoredChange last = change(61);
  ASSERT_TRUE(opened.store->finish_generation({&last, 1}, position_of(model_, 61)).ok());
  expect_loaded(open(copy_folder("after")).loaded, model_, 61);
  write_one(*opened.store, 62);
  expect_loaded(open(copy_folder("later")).loaded, model_, 62);
}

TEST_F(ReplicaStoreTest, WhatAnUnfinishedGenerationLeftIsNoPartOfTheNext) {
  {
    auto opened = open();
    write_one(*opened.store, 1);
    ASSERT_TRUE(opened.store->begin_generation().ok());
    const rights::ReplicaRecord left{entitlement(900), 5, rental(5)};
    ASSERT_TRUE(opened.store->add({&left, 1}).ok());
    const rights::ReplicaRecord again{entitlement(901), 5, rental(5)};
    ASSERT_TRUE(opened.store->begin_generation().ok());
    ASSERT_TRUE(opened.store->add({&again, 1}).ok());
  }
  auto opened = open();
  expect_loaded(opened.loaded, model_, 1);
  ASSERT_TRUE(opened.store->begin_generation().ok());
  ASSERT_TRUE(opened.store->finish_generation({}, position_of({}, 9)).ok());
  opened.store.reset();
  expect_loaded(open().loaded, {}, 9);
}

TEST_F(ReplicaStoreTest, OfAnotherShardItIsSetAside) {
  {
    auto opened = open();
    write_one(*opened.store, 1);
  }
  auto opened = open("replica", 1);
  EXPECT_TRUE(opened.loaded.set_aside);
  EXPECT_FALSE(opened.loaded.position.has_value());
  EXPECT_TRUE(fs::exists(folder_.at("replica.damaged")));
}

TEST_F(ReplicaStoreTest, ADigestThatDoesNotFitTheRecordsIsNotTrusted) {
  {
    auto opened = open();
    write_one(*opened.store, 1);
    StoredPosition wrong = position_of(model_, 2);
    wrong.root.low ^= 1;
    ASSERT_TRUE(opened.store->apply({}, wrong).ok());
  }
  const auto opened = open();
  EXPECT_TRUE(opened.loaded.set_aside);
  EXPECT_EQ(opened.loaded.table->size(), 0u);
}

TEST_F(ReplicaStoreTest, OneThatIsOpenElsewhereIsAnErrorAndIsKept) {
  const auto opened = open();
  const auto second = ReplicaStore::open(folder_.at("replica"), 0);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::io_failed);
  EXPECT_FALSE(fs::exists(folder_.at("replica.damaged")));
}

TEST_F(ReplicaStoreTest, StartingAnewKeepsTheDamagedOneBeside) {
  auto opened = open();
  write_one(*opened.store, 1);
  ASSERT_TRUE(opened.store->start_anew().ok());
  EXPECT_TRUE(fs::exists(folder_.at("replica.damaged")));
  model_ = {};
  write_one(*opened.store, 2);
  opened.store.reset();
  expect_loaded(open().loaded, model_, 2);
}

// Whatever bit of whatever file is flipped: it loads one of the states it went through, whole, or starts empty.
TEST_F(ReplicaStoreTest, AFlippedBitNeverLoadsAWrongRecord) {
  std::vector<RecordsModel> states(1);
  {
    auto opened = open();
    for (rights::Revision at = 1; at <= 40; ++at) {
      write_one(*opened.store, at);
      states.push_back(model_);
    }
  }
  // Opening it again moves the log's records to a table file; the later ones are in a log again.
  {
    auto opened = open();
    for (rights::Revision at = 41; at <= 60; ++at) {
      write_one(*opened.store, at);
      states.push_back(model_);
    }
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder_.at("replica"))) {
    if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path().filename());
  }
  int set_aside = 0;
  int whole = 0;
  constexpr int kFlips = 100;
  for (int i = 0; i < kFlips; ++i) {
    const std::string name = copy_folder("flip");
    const std::string file = folder_.at(name) + "/" + files[static_cast<std::size_t>(i) % files.size()].string();
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto place = static_cast<std::streamoff>(random_() % fs::file_size(file));
    stream.seekg(place);
    const char flipped = static_cast<char>(stream.get() ^ (1 << random_() % 8));
    stream.seekp(place);
    stream.put(flipped);
    stream.close();
    SCOPED_TRACE(file + " at " + std::to_string(place));
    {
      const auto opened = open(name);
      if (opened.loaded.set_aside || !opened.loaded.position) {
        ++set_aside;
        EXPECT_FALSE(opened.loaded.position.has_value());
        EXPECT_EQ(opened.loaded.table->size(), 0u);
      } else {
        ++whole;
        const auto at = opened.loaded.position->position;
        ASSERT_LT(at, static_cast<rights::Revision>(states.size()));
        expect_loaded(opened.loaded, states[static_cast<std::size_t>(at)], at);
      }
    }
    fs::remove_all(folder_.at(name));
    fs::remove_all(folder_.at(name + ".damaged"));
  }
  EXPECT_GT(set_aside, 0);
  EXPECT_GT(whole, 0);
}

}  // namespace
}  // namespace reelway::edge
