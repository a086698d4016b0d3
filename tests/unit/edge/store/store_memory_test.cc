#include <gmock/gmock.h>

#include "tests/unit/edge/store/store_fixture.h"

namespace reelway::edge {
namespace {

class CountingReader final : public Object::Reader {
 public:
  explicit CountingReader(std::function<void()> also = {}) : also_(std::move(also)) {}
  void object_advanced() override {
    ++calls;
    if (also_) also_();
  }
  int calls = 0;

 private:
  std::function<void()> also_;
};

class StoreMemory : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    options_.memory_bytes = 8 << 20;
    open();
  }
};

TEST_F(StoreMemory, CollapsesLookupsIntoOneFill) {
  Lookup first = store_->lookup("/a");
  ASSERT_EQ(first.kind, Lookup::Kind::fill);
  for (int i = 0; i < 99; ++i) {
    const Lookup other = store_->lookup("/a");
    ASSERT_EQ(other.kind, Lookup::Kind::following);
    EXPECT_EQ(other.object, first.object);
    EXPECT_FALSE(other.permit.has_value());
  }
  const std::string body = body_of("/a", 5000);
  ASSERT_TRUE(fill(std::move(*first.permit), body).ok());
  const Lookup hit = store_->lookup("/a");
  ASSERT_EQ(hit.kind, Lookup::Kind::hit);
  EXPECT_EQ(bytes_of(*hit.object), body);
  EXPECT_EQ(store_->counters().follows, 99u);
  EXPECT_EQ(store_->counters().memory_hits, 1u);
  EXPECT_EQ(store_->counters().fills_completed, 1u);
}

TEST_F(StoreMemory, ReadersSeeBytesWhileTheyArrive) {
  Lookup found = store_->lookup("/a");
  CountingReader reader;
  found.object->add_reader(reader);
  const std::string body = body_of("/a", 3 << 20);
  found.permit->head(meta_of(body), true);
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(found.object->state(), ObjectState::filling);
  found.permit->append(as_bytes(body).first(1'500'000));
  EXPECT_EQ(found.object->bytes_present(), 1'500'000u);
  EXPECT_EQ(found.object->view(0).size(), Object::kChunkBytes) << "at most to the chunk's end";
  EXPECT_EQ(found.object->view(Object::kChunkBytes).size(), 1'500'000u - Object::kChunkBytes);
  EXPECT_TRUE(found.object->view(1'500'000).empty());
  const std::uint8_t* address = found.object->view(0).data();
  found.permit->append(as_bytes(body).subspan(1'500'000));
  EXPECT_TRUE(found.permit->complete().ok());
  EXPECT_EQ(found.object->view(0).data(), address) << "bytes never move";
  EXPECT_EQ(bytes_of(*found.object), body);
  found.object->remove_reader(reader);
}

TEST_F(StoreMemory, AReaderMayRemoveItselfAndOthersWhenWoken) {
  Lookup found = store_->lookup("/a");
  Object& object = *found.object;
  CountingReader second;
  CountingReader added;
  CountingReader* first_address = nullptr;
  CountingReader first([&] {
    object.remove_reader(*first_address);
    object.remove_reader(second);
    object.add_reader(added);
  });
  first_address = &first;
  object.add_reader(first);
  object.add_reader(second);
  found.permit->head(meta_of("x"), true);
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.calls, 0);
  EXPECT_EQ(added.calls, 0);
  EXPECT_EQ(object.readers(), 1u);
  found.permit->append(as_bytes("x"));
  EXPECT_EQ(added.calls, 1);
  object.remove_reader(added);
  found.permit.reset();
}

TEST_F(StoreMemory, ADroppedPermitFailsItsObject) {
  Lookup found = store_->lookup("/a");
  CountingReader reader;
  found.object->add_reader(reader);
  found.permit.reset();
  EXPECT_EQ(reader.calls, 1);
  ASSERT_EQ(found.object->state(), ObjectState::failed);
  EXPECT_EQ(found.object->failure().code, ErrorCode::upstream_truncated);
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill) << "the next one may try";
  found.object->remove_reader(reader);
}

TEST_F(StoreMemory, AShortOrWrongBodyIsNotKept) {
  const std::string body = body_of("/a", 10'000);
  Lookup found = store_->lookup("/a");
  found.permit->head(meta_of(body), true);
  found.permit->append(as_bytes(body).first(9'999));
  EXPECT_EQ(found.permit->complete().error().code, ErrorCode::upstream_truncated);
  EXPECT_EQ(found.object->state(), ObjectState::failed);

  found = store_->lookup("/a");
  ObjectMeta meta = meta_of(body);
  meta.crc32c = *meta.crc32c ^ 1;
  found.permit->head(meta, true);
  found.permit->append(as_bytes(body));
  EXPECT_EQ(found.permit->complete().error().code, ErrorCode::upstream_corrupt);

  found = store_->lookup("/a");
  found.permit->head(meta_of(body), true);
  found.permit->append(as_bytes(body + "x"));
  EXPECT_EQ(found.permit->complete().error().code, ErrorCode::upstream_corrupt);
  EXPECT_EQ(store_->counters().fills_failed, 3u);
  EXPECT_EQ(store_->counters().memory_objects, 0u);
}

TEST_F(StoreMemory, WorksWithoutAnAnnouncedLengthOrSum) {
  const std::string body = body_of("/a", 2'500'000);
  Lookup found = store_->lookup("/a");
  ObjectMeta meta = meta_of(body);
  meta.length.reset();
  meta.crc32c.reset();
  found.permit->head(meta, true);
  for (std::size_t at = 0; at < body.size(); at += 16'000) {
    found.permit->append(as_bytes(body).subspan(at, std::min<std::size_t>(16'000, body.size() - at)));
  }
  ASSERT_TRUE(found.permit->complete().ok());
  EXPECT_EQ(found.object->meta().length, body.size());
  EXPECT_EQ(found.object->meta().crc32c, crc32c(as_bytes(body)));
  EXPECT_EQ(bytes_of(*found.object), body);
}

TEST_F(StoreMemory, AReceiveMayLandInTheObjectsOwnMemory) {
  const std::string body = body_of("/a", 1'300'000);
  Lookup found = store_->lookup("/a");
  found.permit->head(meta_of(body), true);
  for (std::size_t at = 0; at < body.size();) {
    const auto room = found.permit->room();
    ASSERT_FALSE(room.empty());
    const std::size_t count = std::min<std::size_t>(room.size(), 70'001);
    std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(at), count, room.begin());
    found.permit->advance(count);
    at += count;
  }
  EXPECT_TRUE(found.permit->room().empty());
  ASSERT_TRUE(found.permit->complete().ok());
  EXPECT_EQ(bytes_of(*found.object), body);
}

TEST_F(StoreMemory, WhatIsPassedIsNeitherKeptNorFollowedFromThenOn) {
  Lookup found = store_->lookup("/a");
  CountingReader reader;
  found.object->add_reader(reader);
  found.permit->head(meta_of("private"), false);
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill);
  EXPECT_FALSE(found.permit->stopped_early());
  found.object->remove_reader(reader);
  EXPECT_TRUE(found.permit->stopped_early());
  found.permit->append(as_bytes("private"));
  EXPECT_TRUE(found.permit->complete().ok());
  EXPECT_EQ(found.object->state(), ObjectState::complete);
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill);
}

TEST_F(StoreMemory, ErasedWhileItIsFilledIsNotKept) {
  const std::string body = body_of("/a", 100);
  Lookup found = store_->lookup("/a");
  store_->erase("/a");
  Lookup second = store_->lookup("/a");
  ASSERT_EQ(second.kind, Lookup::Kind::fill);
  EXPECT_TRUE(fill(std::move(*found.permit), "old").ok());
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::following);
  EXPECT_TRUE(fill(std::move(*second.permit), body).ok());
  EXPECT_EQ(bytes_of(*store_->lookup("/a").object), body);
  store_->erase("/a");
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill);
}

TEST_F(StoreMemory, RefusesFillsOverTheLimit) {
  close();
  options_.fills_max = 2;
  open();
  const Lookup a = store_->lookup("/a");
  const Lookup b = store_->lookup("/b");
  EXPECT_EQ(store_->lookup("/c").kind, Lookup::Kind::refused);
  EXPECT_EQ(store_->lookup("/b").kind, Lookup::Kind::following);
  EXPECT_EQ(store_->counters().fills_refused, 1u);
}

TEST_F(StoreMemory, TheBudgetHoldsExactly) {
  for (int i = 0; i < 300; ++i) {
    const std::string key = "/" + std::to_string(i);
    fill(key, body_of(key, 1 + static_cast<std::size_t>(i) * 7919 % 1'600'000));
    ASSERT_LE(store_->counters().memory_bytes, options_.memory_bytes);
  }
  EXPECT_GT(store_->counters().memory_bytes, options_.memory_bytes / 2);
  EXPECT_GT(store_->counters().memory_evictions, 200u);
}

TEST_F(StoreMemory, CountsWhatIsInUseAndShedsWhenAllIs) {
  std::vector<std::shared_ptr<Object>> held;
  for (int i = 0; i < 8; ++i) {
    const std::string key = "/" + std::to_string(i);
    fill(key, body_of(key, 1 << 20));
    held.push_back(store_->lookup(key).object);
  }
  EXPECT_EQ(store_->counters().memory_bytes, options_.memory_bytes);
  Lookup found = store_->lookup("/more");
  const auto refused = fill(std::move(*found.permit), body_of("/more", 5000));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_EQ(store_->counters().memory_refused, 1u);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(bytes_of(*held[static_cast<std::size_t>(i)]), body_of("/" + std::to_string(i), 1 << 20));
  store_->erase("/3");
  EXPECT_EQ(store_->counters().memory_bytes, options_.memory_bytes) << "erased, but still held";
  held[3].reset();
  EXPECT_EQ(store_->counters().memory_bytes, options_.memory_bytes - (1 << 20));
  fill("/more", body_of("/more", 5000));
}

TEST_F(StoreMemory, TooLargeIsPassed) {
  close();
  options_.object_bytes_max = 100'000;
  open();
  const std::string body = body_of("/a", 100'001);
  Lookup found = store_->lookup("/a");
  EXPECT_TRUE(fill(std::move(*found.permit), body).ok());
  EXPECT_EQ(bytes_of(*found.object), body);
  EXPECT_EQ(store_->lookup("/a").kind, Lookup::Kind::fill);
}

TEST_F(StoreMemory, ProbeLeavesNoTrace) {
  fill("/a", "hello");
  std::optional<Store::Probe> seen;
  store_->probe("/a", [&](std::optional<Store::Probe> probe) {
    seen = std::move(probe);
    ring_->stop();
  });
  EXPECT_FALSE(seen.has_value()) << "never inside the call";
  ring_->run();
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->tier, Tier::memory);
  EXPECT_EQ(seen->bytes_present, 5u);
  EXPECT_EQ(store_->counters().memory_hits, 0u);
}

TEST_F(StoreMemory, LoadWithoutADiskGivesThePermitBack) {
  Loaded loaded = load("/a");
  EXPECT_EQ(loaded.tier, Tier::none);
  ASSERT_TRUE(loaded.permit.has_value());
  EXPECT_EQ(store_->counters().misses, 1u);
  EXPECT_TRUE(fill(std::move(*loaded.permit), "body").ok());
}

}  // namespace
}  // namespace reelway::edge
