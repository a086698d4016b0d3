#include "tests/unit/edge/store/store_fixture.h"

// What is stored is stale, and is validated or replaced while it can still be found.

namespace reelway::edge {
namespace {

class StoreUpdate : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_disk();
    open();
  }
  static ObjectMeta fresh_meta() {
    ObjectMeta meta;
    meta.etag = "\"e1\"";
    meta.cache_control = "max-age=60";
    meta.headers = "X-Validated: yes\r\n";
    meta.fresh_until_ms = 1'900'000'000'000;
    return meta;
  }
};

TEST_F(StoreUpdate, TheStaleObjectIsFoundUntilItsSuccessorIsComplete) {
  fill("/a", "old");
  Lookup update = store_->lookup_for_update("/a");
  ASSERT_EQ(update.kind, Lookup::Kind::fill);
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), "old");
  const Lookup follower = store_->lookup_for_update("/a");
  EXPECT_EQ(follower.kind, Lookup::Kind::following);
  EXPECT_EQ(follower.object, update.object);
  update.permit->head(meta_of("new"), true);
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), "old");
  update.permit->append(as_bytes("new"));
  ASSERT_TRUE(update.permit->complete().ok());
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), "new");
  reopen();
  EXPECT_EQ(bytes_of(*load("/a").object), "new");
}

TEST_F(StoreUpdate, AFailedOrPassedUpdateLeavesWhatIsStored) {
  fill("/a", "old");
  store_->lookup_for_update("/a").permit->fail(Error{ErrorCode::upstream_failed, Side::upstream, true, ""});
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::hit);
  Lookup passed = store_->lookup_for_update("/a");
  EXPECT_TRUE(fill(std::move(*passed.permit), "private", false).ok());
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), "old");
}

TEST_F(StoreUpdate, WithNothingStoredLookupsFollowTheUpdate) {
  Lookup update = store_->lookup_for_update("/a");
  const Lookup found = store_->lookup("/a");
  ASSERT_EQ(found.kind, Lookup::Kind::following);
  EXPECT_EQ(found.object, update.object);
  ASSERT_TRUE(fill(std::move(*update.permit), "new").ok());
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::hit);
}

TEST_F(StoreUpdate, WhatIsOnDiskOnlyIsLoadedBesideTheUpdate) {
  fill_to_disk("/a", 100'000);
  reopen();
  Lookup update = store_->lookup_for_update("/a");
  ASSERT_EQ(update.kind, Lookup::Kind::fill);
  const Loaded stale = load("/a");
  EXPECT_EQ(stale.tier, Tier::disk);
  EXPECT_EQ(bytes_of(*stale.object), body_of("/a", 100'000));
  ASSERT_TRUE(fill(std::move(*update.permit), "new").ok());
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), "new");
}

TEST_F(StoreUpdate, AnUpdateFollowsAFetchButNotALoad) {
  Lookup fetch = store_->lookup("/fetched");
  EXPECT_EQ(store_->lookup_for_update("/fetched").object, fetch.object);
  fetch.permit.reset();
  fill_to_disk("/loaded", 100'000);
  reopen();
  Lookup loading = store_->lookup("/loaded");
  store_->load(std::move(*loading.permit), [&](Tier, std::optional<FillPermit>) { ring_->stop(); });
  Lookup update = store_->lookup_for_update("/loaded");
  EXPECT_EQ(update.kind, Lookup::Kind::fill);
  ring_->run();
  EXPECT_EQ(store_->lookup("/loaded").kind, Lookup::Kind::hit);
}

TEST_F(StoreUpdate, NotModifiedGivesWaitersTheStoredBody) {
  for (const std::size_t size : {100u, 1'500'000u}) {
    const std::string key = "/" + std::to_string(size);
    fill_to_disk(key, size);
    const auto stored = store_->lookup(key).object;
    Lookup update = store_->lookup_for_update(key);
    const Lookup follower = store_->lookup_for_update(key);
    ASSERT_TRUE(update.permit->not_modified(stored, fresh_meta()).ok());
    EXPECT_EQ(follower.object->state(), ObjectState::complete);
    EXPECT_EQ(follower.object->view(0).data(), stored->view(0).data()) << "one body";
    EXPECT_EQ(stored->meta().cache_control, meta_of("").cache_control) << "a reader keeps what it has begun";
    EXPECT_EQ(store_->lookup(key).object, follower.object);
    reopen();
    const Loaded loaded = load(key);
    ASSERT_EQ(loaded.tier, Tier::disk);
    EXPECT_EQ(bytes_of(*loaded.object), body_of(key, size));
    EXPECT_EQ(loaded.object->meta().headers, "X-Validated: yes\r\n");
    EXPECT_EQ(loaded.object->meta().fresh_until_ms, 1'900'000'000'000);
    EXPECT_EQ(loaded.object->meta().status, 200);
  }
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

TEST_F(StoreUpdate, AnErasedObjectIsNotBroughtBackByA304) {
  fill_to_disk("/a", 100'000);
  const auto stored = store_->lookup("/a").object;
  Lookup update = store_->lookup_for_update("/a");
  store_->erase("/a");
  ASSERT_TRUE(update.permit->not_modified(stored, fresh_meta()).ok());
  EXPECT_EQ(bytes_of(*update.object), body_of("/a", 100'000)) << "for those who waited";
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill);
  reopen();
  EXPECT_EQ(load("/a").tier, Tier::none);
}

TEST_F(StoreUpdate, FreshenReachesAWriteThatIsUnderWay) {
  for (const std::size_t size : {100u, 100'000u}) {
    const std::string key = "/" + std::to_string(size);
    fill(key, body_of(key, size));
    store_->freshen(key, fresh_meta());  // waits for its write
    EXPECT_EQ(store_->lookup(key).object->meta().headers, "X-Validated: yes\r\n");
    fill(key + "b", body_of(key, size));
    bool begun = false;
    ring_->defer([&] { ring_->defer([&] { begun = true; }); });
    run_until([&] { return begun; });
    store_->freshen(key + "b", fresh_meta());
    reopen();
    EXPECT_EQ(load(key).object->meta().headers, "X-Validated: yes\r\n");
    EXPECT_EQ(load(key + "b").object->meta().headers, "X-Validated: yes\r\n");
    EXPECT_EQ(bytes_of(*load(key + "b").object), body_of(key, size));
  }
}

TEST_F(StoreUpdate, FreshenIsForTheBodyItNames) {
  fill_to_disk("/a", 100'000);
  ObjectMeta other = fresh_meta();
  other.crc32c = 1;
  store_->freshen("/a", other);
  EXPECT_TRUE(store_->lookup("/a").object->meta().headers.empty());
  store_->freshen("/none", fresh_meta());
  reopen();
  store_->freshen("/a", other);
  EXPECT_TRUE(load("/a").object->meta().headers.empty());
  EXPECT_EQ(load("/none").tier, Tier::none);
}

// The budget is kept by what a freshened record really takes.
TEST_F(StoreUpdate, ALongerRecordWeighsMore) {
  fill_to_disk("/a", 100);
  const std::uint64_t before = store_->counters().disk_bytes;
  ObjectMeta meta = fresh_meta();
  meta.headers = "X: " + std::string(5000, 'x') + "\r\n";
  store_->freshen("/a", meta);
  run_until([&] { return store_->counters().disk_bytes > before + 4000; });
  const std::uint64_t after = store_->counters().disk_bytes;
  reopen();
  EXPECT_EQ(store_->counters().disk_bytes, after);
}

TEST_F(StoreUpdate, ASharedBodyIsEvictedOnlyWithItsLastReader) {
  close();
  options_.memory_bytes = 8 << 20;
  open();
  fill("/a", body_of("/a", 4 << 20));
  const auto reader = store_->lookup("/a").object;
  store_->freshen("/a", fresh_meta());
  EXPECT_EQ(store_->counters().memory_bytes, 4u << 20) << "counted once";
  for (int i = 0; i < 8; ++i) fill("/" + std::to_string(i), body_of("b", 2 << 20));
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::hit);
  EXPECT_EQ(bytes_of(*reader), body_of("/a", 4 << 20));
}

}  // namespace
}  // namespace reelway::edge
