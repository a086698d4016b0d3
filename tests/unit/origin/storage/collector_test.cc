#include "origin/storage/collector.h"

#include <gmock/gmock.h>

#include "tests/unit/origin/storage/storage_fixture.h"

namespace reelway::origin {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

std::vector<TitleRecord> all_titles(Catalog& catalog) {
  return std::move(catalog.titles()).value();
}
std::vector<VersionRecord> all_versions(Catalog& catalog, const std::string& title) {
  return std::move(catalog.versions(title)).value();
}

class CollectorTest : public StorageTest {
 protected:
  void SetUp() override {
    options_.retention.versions_keep = std::chrono::hours(10);
    options_.retention.sessions_max = std::chrono::hours(6);
    options_.retention.versions_kept_min = 0;
    StorageTest::SetUp();
  }

  // As whoever rolls back does it: read, decide, and write if nothing has changed.
  Result<void> roll_back(const std::string& title, const std::string& version, const std::function<void()>& between) {
    const auto entry = store_->get(title_key(title));
    if (!entry.ok()) return entry.error();
    if (!entry->has_value()) return Error{ErrorCode::title_not_found, Side::client, false, title};
    TitleRecord record = parse_title((*entry)->key, (*entry)->value).value();
    const auto target = catalog_->version(title, version);
    if (!target.ok()) return target.error();
    if (target->state != VersionState::published) {
      return Error{ErrorCode::version_not_found, Side::client, false, version};
    }
    between();
    record.current_version = version;
    Txn txn;
    txn.compares = {Compare::unchanged((*entry)->key, (*entry)->mod_revision)};
    txn.then_operations = {Operation::put((*entry)->key, to_json(record))};
    const auto reply = store_->txn(txn);
    if (!reply.ok()) return reply.error();
    if (!reply->succeeded) return Error{ErrorCode::store_conflict, Side::client, true, title};
    return {};
  }

  bool has_all_files(const VersionRecord& version) const {
    const std::string folder = catalog_->version_folder(version.title, version.version);
    return std::all_of(version.tracks.begin(), version.tracks.end(), [&](const TrackRecord& track) {
      return exists(folder + "/" + track.file) && exists(folder + "/" + track.index);
    });
  }

  VersionState state_of(const std::string& title, const std::string& version) {
    return catalog_->version(title, version)->state;
  }
};

TEST_F(CollectorTest, NothingGoesByItself) {
  options_.retention = {};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(publish("film", i > 0).ok());
  clock_.now_ms += 10'000 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 10'000 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty());
  for (const VersionRecord& version : all_versions(*catalog_, "film")) EXPECT_TRUE(has_all_files(version));
}

TEST_F(CollectorTest, OldVersionGoesWhenItsTimeIsOver) {
  ASSERT_TRUE(publish("film", false).ok());
  ASSERT_TRUE(collector_->collect(false).ok());
  ASSERT_TRUE(publish("film", true).ok());
  ASSERT_TRUE(catalog_->published("film", "v1").ok());
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 10 * kHourMs - 1;
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 1;
  const auto planned = collector_->collect(true);
  ASSERT_EQ(planned->size(), 1u);
  EXPECT_EQ(planned->front().version, "v1");
  EXPECT_GT(planned->front().bytes, 0u);
  EXPECT_EQ(state_of("film", "v1"), VersionState::published);
  EXPECT_EQ(collector_->collect(false)->size(), 1u);
  EXPECT_EQ(state_of("film", "v1"), VersionState::removed);
  EXPECT_FALSE(exists(catalog_->version_folder("film", "v1")));
  EXPECT_TRUE(exists(catalog_->original_path("film", "v1")));
  EXPECT_EQ(catalog_->published("film", "v1").error().code, ErrorCode::version_not_found);
  EXPECT_TRUE(catalog_->published("film", "v2").ok());
  EXPECT_TRUE(collector_->collect(false)->empty());
}

TEST_F(CollectorTest, SomeAreKeptToRollBackTo) {
  options_.retention.versions_kept_min = 2;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(publish("film", i > 0).ok());
    ASSERT_TRUE(collector_->collect(false).ok());
    clock_.now_ms += kHourMs;
  }
  clock_.now_ms += 100 * kHourMs;
  EXPECT_EQ(collector_->collect(false)->size(), 2u);
  EXPECT_EQ(state_of("film", "v2"), VersionState::removed);
  EXPECT_EQ(state_of("film", "v3"), VersionState::published);
}

TEST_F(CollectorTest, WhoRolledBackJustBeforeWins) {
  ASSERT_TRUE(publish("film", false).ok());
  ASSERT_TRUE(publish("film", true).ok());
  ASSERT_TRUE(collector_->collect(false).ok());
  clock_.now_ms += 20 * kHourMs;
  store_->before_txn = [&] { ASSERT_TRUE(roll_back("film", "v1", [] {}).ok()); };
  EXPECT_TRUE(collector_->collect(false)->empty());
  EXPECT_EQ(*catalog_->current_version("film"), "v1");
  EXPECT_TRUE(has_all_files(*catalog_->version("film", "v1")));
}

TEST_F(CollectorTest, WhoRollsBackWhileItGoesIsRefused) {
  ASSERT_TRUE(publish("film", false).ok());
  ASSERT_TRUE(publish("film", true).ok());
  ASSERT_TRUE(collector_->collect(false).ok());
  clock_.now_ms += 20 * kHourMs;
  const auto rolled = roll_back("film", "v1", [&] { EXPECT_EQ(collector_->collect(false)->size(), 1u); });
  EXPECT_EQ(rolled.error().code, ErrorCode::store_conflict);
  EXPECT_EQ(*catalog_->current_version("film"), "v2");
}

TEST_F(CollectorTest, TimeBeginsAnewWhenAVersionWasCurrentInBetween) {
  ASSERT_TRUE(publish("film", false).ok());
  ASSERT_TRUE(publish("film", true).ok());
  ASSERT_TRUE(collector_->collect(false).ok());
  clock_.now_ms += 9 * kHourMs;
  // There and back between two looks.
  ASSERT_TRUE(roll_back("film", "v1", [] {}).ok());
  ASSERT_TRUE(roll_back("film", "v2", [] {}).ok());
  clock_.now_ms += 2 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 9 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 2 * kHourMs;
  EXPECT_EQ(collector_->collect(false)->size(), 1u);
}

TEST_F(CollectorTest, LongPlayUrlsHoldTheirVersion) {
  ASSERT_TRUE(publish("film", false).ok());
  ASSERT_TRUE(ledger_->hold("film", "v1", clock_.now_ms + 100 * kHourMs).ok());
  ASSERT_TRUE(publish("film", true).ok());
  ASSERT_TRUE(collector_->collect(false).ok());
  clock_.now_ms += 99 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty());
  clock_.now_ms += 3 * kHourMs;
  EXPECT_EQ(collector_->collect(false)->size(), 1u);
}

TEST_F(CollectorTest, OriginalsGoByTheirOwnRules) {
  options_.retention.originals_keep = std::chrono::hours(30);
  options_.retention.failed_keep = std::chrono::hours(5);
  ASSERT_TRUE(publish("good", false).ok());
  const auto bad = make_version("bad", false);
  ASSERT_TRUE(bad.ok());
  clock_.now_ms += 6 * kHourMs;
  EXPECT_TRUE(collector_->collect(false)->empty()) << "a job in work needs its original";
  ASSERT_TRUE(catalog_->fail(bad->second, {ErrorCode::media_no_audio, Side::client, false, "why"}).ok());
  EXPECT_EQ(collector_->collect(false)->size(), 1u);
  EXPECT_FALSE(exists(catalog_->original_path("bad", "v1")));
  clock_.now_ms += 30 * kHourMs;
  EXPECT_EQ(collector_->collect(false)->size(), 2u);
  EXPECT_FALSE(exists(catalog_->delivered_path("good", "v1", "audio-1")));
  EXPECT_FALSE(exists(catalog_->original_path("good", "v1")));
  EXPECT_TRUE(has_all_files(*catalog_->version("good", "v1")));
  EXPECT_TRUE(collector_->collect(false)->empty());
}

// Publishing, rolling back, collecting and crashes in any order: whatever the records say is published has its files,
// and so has what somebody may still play.
class CollectorHistoryTest : public CollectorTest, public testing::WithParamInterface<std::uint64_t> {
 protected:
  void check(const char* after) {
    Catalog catalog(*database_, clock_, CatalogOptions{.data_dir = folder_.path()});
    for (const TitleRecord& title : all_titles(catalog)) {
      for (const VersionRecord& version : all_versions(catalog, title.title)) {
        const std::string name = version.title + " " + version.version + " after " + after;
        const bool is_published = version.state == VersionState::published;
        if (is_published) {
          ASSERT_TRUE(has_all_files(version)) << name;
        }
        if (title.current_version == version.version) {
          ASSERT_TRUE(is_published) << name;
        }
        const auto last = last_current_.find({version.title, version.version});
        const bool may_play = last != last_current_.end() && clock_.now_ms - last->second < 6 * kHourMs;
        if (may_play) {
          ASSERT_TRUE(is_published) << name << " may still be played";
        }
        const auto original = StorageLedger(*database_).file({version.title, version.version, "original/source"});
        if (is_published && original->removed_at_ms == 0) {
          ASSERT_TRUE(exists(catalog.original_path(version.title, version.version))) << name;
        }
        removed_ += version.state == VersionState::removed;
      }
    }
  }

  // What the store says is current now may be played from now on.
  void follow() {
    Catalog catalog(*database_, clock_, CatalogOptions{.data_dir = folder_.path()});
    for (const TitleRecord& title : all_titles(catalog)) {
      if (!title.current_version.empty()) last_current_[{title.title, title.current_version}] = clock_.now_ms;
    }
  }

  void act() {
    const std::string title = random_.below(2) == 0 ? "one" : "two";
    switch (random_.below(8)) {
      case 0:
      case 1: (void)publish(title, catalog_->title(title).ok()); return;
      case 2:
      case 3: {
        const std::string version = version_name(static_cast<std::uint32_t>(1 + random_.below(8)));
        const bool meets = random_.below(3) == 0;
        (void)roll_back(title, version, [&] {
          if (meets) (void)collector_->collect(false);
        });
        return;
      }
      case 4: clock_.now_ms += static_cast<std::int64_t>(random_.below(8)) * kHourMs; return;
      case 5: {
        const std::string version = version_name(static_cast<std::uint32_t>(1 + random_.below(8)));
        store_->before_txn = [this, title, version] { (void)roll_back(title, version, [] {}); };
        (void)collector_->collect(false);
        store_->before_txn = nullptr;
        return;
      }
      default: (void)collector_->collect(false); return;
    }
  }

  std::map<std::pair<std::string, std::string>, std::int64_t> last_current_;
  std::size_t removed_ = 0;
};

TEST_P(CollectorHistoryTest, WhatIsPublishedHasItsFiles) {
  random_.engine.seed(GetParam());
  options_.retention.versions_kept_min = random_.below(3);
  options_.retention.originals_keep = std::chrono::hours(15);
  std::size_t crashes = 0;
  for (int step = 0; step < 150; ++step) {
    follow();
    if (random_.below(4) == 0) crash_.after = random_.below(12);
    store_->loses_last = random_.below(2) == 0;
    act();
    ASSERT_NO_FATAL_FAILURE(check("a step"));
    if (!crash_.is_over) {
      crash_.after.reset();
      continue;
    }
    ++crashes;
    restart();
    ASSERT_NO_FATAL_FAILURE(check("a crash and a start"));
  }
  EXPECT_GT(crashes, 0u);
  // Once all is calm everything that may go has gone, whatever the crashes left.
  clock_.now_ms += 1000 * kHourMs;
  ASSERT_TRUE(collector_->collect(false).ok());
  clock_.now_ms += 1000 * kHourMs;
  ASSERT_TRUE(collector_->collect(false).ok());
  ASSERT_NO_FATAL_FAILURE(check("the end"));
  EXPECT_GT(removed_, 0u);
  for (const TitleRecord& title : all_titles(*catalog_)) {
    for (const VersionRecord& version : all_versions(*catalog_, title.title)) {
      if (version.state == VersionState::removed) {
        EXPECT_FALSE(exists(catalog_->version_folder(version.title, version.version)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CollectorHistoryTest, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace reelway::origin
