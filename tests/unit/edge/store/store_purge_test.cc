#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "edge/store/purge_rules.h"
#include "tests/unit/edge/store/child_process.h"
#include "tests/unit/edge/store/store_fixture.h"

namespace reelway::edge {
namespace {

using Kind = PurgeRequest::Kind;

class StorePurge : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_disk();
    open();
  }

  void fill_tagged(const std::string& key, const std::string& body, std::vector<std::string> tags) {
    Lookup found = store_->lookup(key);
    ASSERT_EQ(found.kind, Lookup::Kind::fill) << key;
    ObjectMeta meta = meta_of(body);
    meta.tags = std::move(tags);
    found.permit->head(meta, true);
    found.permit->append(as_bytes(body));
    ASSERT_TRUE(found.permit->complete().ok());
  }
  PurgeResult purge(Kind kind, const std::string& value, bool soft = false) {
    std::optional<Result<PurgeResult>> purged;
    store_->purge({kind, value, soft}, [&](Result<PurgeResult> result) { purged = std::move(result); });
    EXPECT_FALSE(purged.has_value()) << "never inside the call";
    run_until([&] { return purged.has_value(); });
    EXPECT_TRUE(purged->ok());
    return purged->ok() ? std::move(**purged) : PurgeResult{};
  }
  bool is_fresh(const Loaded& loaded) const { return loaded.object->meta().fresh_until_ms > clock_.wall_ms(); }
};

TEST_F(StorePurge, IsInEffectBeforeItReturnsAndCountsBothTiers) {
  fill_to_disk("/a/1|all", 100'000);
  fill_to_disk("/a/2|all", 100);
  fill_to_disk("/b/1|all", 100);
  reopen();
  EXPECT_EQ(load("/a/1|all").tier, Tier::disk);
  std::optional<PurgeResult> purged;
  store_->purge({Kind::prefix, "/a/", false}, [&](Result<PurgeResult> result) { purged = std::move(result).value(); });
  EXPECT_EQ(store_->lookup("/a/1|all").kind, Lookup::Kind::fill) << "at once";
  EXPECT_EQ(load("/a/2|all").tier, Tier::none);
  run_until([&] { return purged.has_value(); });
  EXPECT_EQ(purged->objects, 2u);
  EXPECT_EQ(purged->memory_objects, 1u);
  EXPECT_EQ(purged->disk_objects, 2u);
  EXPECT_THAT(purged->keys, ::testing::UnorderedElementsAre("/a/1|all", "/a/2|all"));
  EXPECT_EQ(load("/b/1|all").tier, Tier::disk);
  EXPECT_EQ(store_->counters().disk_objects, 1u);
  reopen();
  EXPECT_EQ(load("/a/1|all").tier, Tier::none);
  EXPECT_EQ(load("/a/2|all").tier, Tier::none);
}

TEST_F(StorePurge, TagsOfObjectsOnDiskOnlyAreKnown) {
  for (int i = 0; i < 300; ++i) {
    const std::string key = "s|h|/" + std::to_string(i);
    fill_tagged(key, body_of(key, i % 2 == 0 ? 300 : 20'000), {"all", i % 3 == 0 ? "third" : "other"});
  }
  settle();
  reopen();
  const PurgeResult purged = purge(Kind::tag, "third");
  EXPECT_EQ(purged.objects, 100u);
  EXPECT_EQ(purged.disk_objects, 100u);
  EXPECT_EQ(purged.memory_objects, 0u);
  EXPECT_FALSE(purged.is_truncated);
  EXPECT_EQ(store_->counters().disk_objects, 200u);
  EXPECT_EQ(purge(Kind::tag, "third").objects, 0u);
  EXPECT_EQ(purge(Kind::tag, "all").objects, 200u);
}

TEST_F(StorePurge, SoftlyPurgedIsStaleInBothTiersAndMayBeValidated) {
  fill_to_disk("/a|all", 100'000);
  fill_to_disk("/b|all", 100);
  fill("/c|all", "on its way to disk");
  const PurgeResult purged = purge(Kind::prefix, "/", true);
  EXPECT_EQ(purged.objects, 3u);
  for (const char* key : {"/a|all", "/b|all", "/c|all"}) EXPECT_FALSE(is_fresh(load(key))) << key;
  reopen();
  for (const char* key : {"/a|all", "/b|all", "/c|all"}) {
    const Loaded loaded = load(key);
    ASSERT_EQ(loaded.tier, Tier::disk) << key;
    EXPECT_FALSE(is_fresh(loaded)) << key;
  }
  const auto stored = store_->lookup("/a|all").object;
  ObjectMeta fresh = stored->meta();
  fresh.fresh_until_ms = 1'900'000'000'000;
  ASSERT_TRUE(store_->lookup_for_update("/a|all").permit->not_modified(stored, fresh).ok());
  EXPECT_TRUE(is_fresh(load("/a|all")));
  EXPECT_EQ(purge(Kind::url, "/x", true).objects, 0u);
  EXPECT_TRUE(is_fresh(load("/a|all"))) << "a purge of the past does not come back";
}

TEST_F(StorePurge, SoftOnDiskOnlyIsStaleBeforeTheWalkComes) {
  fill_to_disk("/a|all", 100'000);
  reopen();
  std::optional<PurgeResult> purged;
  store_->purge({Kind::url, "/a", true}, [&](Result<PurgeResult> result) { purged = std::move(result).value(); });
  EXPECT_FALSE(is_fresh(load("/a|all")));
  run_until([&] { return purged.has_value(); });
  EXPECT_EQ(purged->objects, 1u);
}

TEST_F(StorePurge, WhatIsFilledAfterwardsStays) {
  fill_to_disk("/a|all", 100'000);
  std::optional<PurgeResult> purged;
  store_->purge({Kind::url, "/a", false}, [&](Result<PurgeResult> result) { purged = std::move(result).value(); });
  fill("/a|all", "new");
  run_until([&] { return purged.has_value(); });
  EXPECT_EQ(purged->objects, 1u);
  EXPECT_EQ(bytes_of(*store_->lookup("/a|all").object), "new");
  reopen();
  EXPECT_EQ(bytes_of(*load("/a|all").object), "new");
}

TEST_F(StorePurge, AFillUnderWayIsNeitherKeptNorFollowed) {
  Lookup by_path = store_->lookup("/a|all");
  Lookup headless = store_->lookup("/b|all");
  Lookup tagged = store_->lookup("/c|all");
  Lookup other = store_->lookup("/d|all");
  ObjectMeta meta = meta_of("old");
  meta.tags = {"t"};
  tagged.permit->head(meta, true);
  other.permit->head(meta_of("old"), true);
  (void)purge(Kind::url, "/a");
  EXPECT_EQ(store_->lookup("/a|all").kind, Lookup::Kind::fill);
  EXPECT_EQ(store_->lookup("/b|all").kind, Lookup::Kind::following);
  (void)purge(Kind::tag, "t");
  EXPECT_EQ(store_->lookup("/b|all").kind, Lookup::Kind::fill) << "it may have that tag, and be older";
  EXPECT_EQ(store_->lookup("/c|all").kind, Lookup::Kind::fill);
  EXPECT_EQ(store_->lookup("/d|all").kind, Lookup::Kind::following);
  for (Lookup* late : {&tagged, &other}) {
    late->permit->append(as_bytes("old"));
    EXPECT_TRUE(late->permit->complete().ok());
  }
  EXPECT_TRUE(fill(std::move(*by_path.permit), "old").ok());
  EXPECT_TRUE(fill(std::move(*headless.permit), "old").ok());
  for (const char* key : {"/a|all", "/b|all", "/c|all"}) EXPECT_EQ(store_->lookup(key).kind, Lookup::Kind::fill) << key;
  EXPECT_EQ(store_->lookup("/d|all").kind, Lookup::Kind::hit);
}

TEST_F(StorePurge, AWriteUnderWayLeavesNothingOnDisk) {
  for (int i = 0; i < 20; ++i) fill("/" + std::to_string(i) + "|all", body_of("x", i % 2 == 0 ? 100 : 300'000));
  EXPECT_EQ(purge(Kind::prefix, "/").objects, 20u);
  reopen();
  EXPECT_EQ(store_->counters().disk_objects, 0u);
  EXPECT_EQ(store_->counters().disk_bytes, 0u);
}

TEST_F(StorePurge, WithoutADisk) {
  close();
  options_.directory.clear();
  open();
  fill("/a|all", "a");
  fill("/b|all", "b");
  EXPECT_EQ(purge(Kind::url, "/a").objects, 1u);
  EXPECT_EQ(store_->lookup("/b|all").kind, Lookup::Kind::hit);
}

TEST_F(StorePurge, TooManyAtOnceAreRefused) {
  std::size_t refused = 0;
  std::size_t ended = 0;
  for (std::size_t i = 0; i < PurgeRules::kMax + 5; ++i) {
    store_->purge({Kind::tag, "t" + std::to_string(i), false}, [&](const Result<PurgeResult>& result) {
      ++ended;
      if (!result.ok() && result.error().code == ErrorCode::overloaded) ++refused;
    });
  }
  run_until([&] { return ended == PurgeRules::kMax + 5; });
  EXPECT_EQ(refused, 5u);
}

// Random fills, updates, purges and evictions of few keys meet; never is an older body found than the last purge
// allows.
TEST_F(StorePurge, RandomWorkNeverBringsThePurgedBack) {
  close();
  options_.disk_bytes = 12 << 20;
  options_.memory_bytes = 8 << 20;
  open();
  std::mt19937_64 random(seed(21));
  std::map<std::string, std::string> latest;
  std::size_t under_way = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::string key = "/" + std::to_string(random() % 30);
    const std::string body =
        body_of(key + std::to_string(step), random() % 3 == 0 ? random() % 16'384 : random() % 600'000);
    if (random() % 12 == 0) {
      ++under_way;
      store_->purge({Kind::url, key, false}, [&](const Result<PurgeResult>& result) {
        EXPECT_TRUE(result.ok());
        --under_way;
      });
      latest.erase(key);
      continue;
    }
    if (random() % 8 == 0) {
      Lookup update = store_->lookup_for_update(key);
      ASSERT_EQ(update.kind, Lookup::Kind::fill);
      latest[key] = body;
      ASSERT_TRUE(fill(std::move(*update.permit), body).ok());
      continue;
    }
    Loaded loaded = load(key);
    if (loaded.tier != Tier::none) {
      ASSERT_EQ(bytes_of(*loaded.object), latest[key]) << "step " << step;
      continue;
    }
    latest[key] = body;
    ASSERT_TRUE(fill(std::move(*loaded.permit), body).ok());
    if (random() % 4 == 0) settle();
  }
  run_until([&] { return under_way == 0; });
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
  reopen();
  for (const auto& [key, body] : latest) {
    const Loaded loaded = load(key);
    if (loaded.tier == Tier::none) continue;
    EXPECT_EQ(bytes_of(*loaded.object), body) << key;
  }
}

// The child fills objects, purges the tag that two thirds of them have, finds none of these in the moment the call
// returns, and is killed in the moment it has the acknowledgement. With 100,000 tagged objects, as figures are taken:
//   REELWAY_STORE_PURGE=150000 test_edge_store --gtest_filter='StoreTagPurge.*'
class StoreTagPurge : public StorePurge {
 protected:
  static constexpr int kStride = 7;

  static int objects() {
    const char* text = ::getenv("REELWAY_STORE_PURGE");
    return text == nullptr ? 15'000 : std::atoi(text);
  }
  static std::string key_of(int number) { return "s|h|/" + std::to_string(number); }
  static bool is_tagged(int number) { return number % 3 != 0; }

  void open_in(const std::string& directory) {
    close();
    options_.directory = directory;
    options_.disk_bytes = 1 << 30;
    options_.memory_bytes = 16 << 20;
    open();
  }
  // `which`: of every so many objects. Those with the tag must be gone, the others there.
  void expect_purged(int which) {
    for (int i = 0; i < objects(); i += which) {
      EXPECT_EQ(load(key_of(i)).tier == Tier::none, is_tagged(i)) << i;
    }
  }
  [[noreturn]] void fill_purge_and_wait(const char* directory);
};

void StoreTagPurge::fill_purge_and_wait(const char* directory) {
  open_in(directory);
  for (int i = 0; i < objects(); ++i) {
    fill_tagged(key_of(i), "old", {is_tagged(i) ? "tagged" : "other"});
    if (i % 1000 == 0) settle();
  }
  settle();
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed_ms = [begin] {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  };
  std::optional<Result<PurgeResult>> purged;
  store_->purge({Kind::tag, "tagged", false}, [&](Result<PurgeResult> result) { purged = std::move(result); });
  const double returned_ms = elapsed_ms();
  int stale = 0;
  for (int i = 0; i < objects(); i += objects() / 100) {
    if (is_tagged(i) && load(key_of(i)).tier != Tier::none) ++stale;
  }
  const double looked_ms = elapsed_ms();
  run_until([&] { return purged.has_value(); });
  const std::size_t matched = purged->ok() ? (*purged)->objects : 0;
  std::fprintf(stderr,
               "purge of %zu of %d objects: call %.2f ms, sampled look-ups by %.0f ms, acknowledged by %.0f ms\n",
               matched, objects(), returned_ms, looked_ms, elapsed_ms());
  if (stale > 0 || matched != static_cast<std::size_t>(objects() - (objects() + 2) / 3)) ::_exit(3);
  ChildProcess::say_ready();
  for (;;) ::pause();
}

TEST_F(StoreTagPurge, OutlivesAKillRightAfterTheAcknowledgement) {
  if (const char* directory = ChildProcess::directory()) fill_purge_and_wait(directory);
  const std::string directory = options_.directory;
  close();
  {
    const ChildProcess child("StoreTagPurge.OutlivesAKillRightAfterTheAcknowledgement", directory);
    ASSERT_TRUE(child.wait_until_ready());
    child.kill();
  }
  open_in(directory);
  expect_purged(kStride);
  reopen();
  expect_purged(objects() > 100'000 ? 1 : kStride);
}

// A rule whose walk had not ended when the process died is in force again from the first look-up on.
TEST_F(StorePurge, GoesOnAfterARestart) {
  fill_to_disk("/a|all", 100'000);
  fill_to_disk("/b|all", 100'000);
  close();
  {
    auto index = RecordIndex::open(options_.directory + "/index");
    PurgeRules rules;
    PurgeRule* rule = *rules.add({Kind::url, "/a", false}, clock_.wall_ms() + 1000);
    RecordIndex::Change change{"purge/x", PurgeRules::encode(*rule), std::nullopt, false};
    change.is_note = true;
    ASSERT_TRUE((*index)->apply({&change, 1}).ok());
  }
  open();
  EXPECT_EQ(load("/a|all").tier, Tier::none);
  EXPECT_EQ(load("/b|all").tier, Tier::disk);
  run_until([&] { return store_->counters().disk_objects == 1; });
}

}  // namespace
}  // namespace reelway::edge
