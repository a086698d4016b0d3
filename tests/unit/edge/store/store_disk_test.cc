#include <gmock/gmock.h>

#include <random>

#include "tests/unit/edge/store/store_fixture.h"

namespace reelway::edge {
namespace {

class StoreDisk : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_disk();
    open();
  }
};

TEST_F(StoreDisk, EverySizeSurvivesARestart) {
  const std::vector<std::size_t> sizes = {0,       1,       4095,      16'384,    16'385,        65'536, 65'537,
                                          300'000, 1 << 20, 1'048'577, 3'500'000, 5 * (1 << 20), 600'123};
  for (const std::size_t size : sizes) fill("/" + std::to_string(size), body_of("/" + std::to_string(size), size));
  reopen();
  EXPECT_EQ(store_->counters().disk_objects, sizes.size());
  for (const std::size_t size : sizes) {
    const std::string key = "/" + std::to_string(size);
    const Loaded loaded = load(key);
    ASSERT_EQ(loaded.tier, Tier::disk) << key;
    EXPECT_FALSE(loaded.permit.has_value());
    EXPECT_EQ(loaded.object->state(), ObjectState::complete);
    EXPECT_EQ(bytes_of(*loaded.object), body_of(key, size)) << key;
    EXPECT_EQ(loaded.object->meta().etag, "\"e1\"");
    EXPECT_EQ(loaded.object->meta().key, key);
    EXPECT_EQ(load(key).tier, Tier::memory);
  }
  EXPECT_EQ(store_->counters().disk_hits, sizes.size());
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

TEST_F(StoreDisk, ReadsFromDiskWhatMemoryEvicted) {
  close();
  options_.memory_bytes = 8 << 20;
  open();
  for (int i = 0; i < 40; ++i) fill_to_disk("/" + std::to_string(i), 1'200'000);
  EXPECT_EQ(store_->counters().disk_objects, 40u);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string key = "/" + std::to_string(i);
      const Loaded loaded = load(key);
      ASSERT_NE(loaded.tier, Tier::none);
      ASSERT_EQ(bytes_of(*loaded.object), body_of(key, 1'200'000));
      ASSERT_LE(store_->counters().memory_bytes, options_.memory_bytes);
    }
  }
  EXPECT_GT(store_->counters().disk_hits, 60u);
}

TEST_F(StoreDisk, FollowersOfALoadGetTheSameObject) {
  fill_to_disk("/a", 3'000'000);
  reopen();
  Lookup found = store_->lookup("/a");
  ASSERT_EQ(found.kind, Lookup::Kind::fill);
  store_->load(std::move(*found.permit), [&](Tier tier, std::optional<FillPermit>) {
    EXPECT_EQ(tier, Tier::disk);
    ring_->stop();
  });
  const Lookup follower = store_->lookup("/a");
  EXPECT_EQ(follower.kind, Lookup::Kind::following);
  ring_->run();
  EXPECT_EQ(bytes_of(*follower.object), body_of("/a", 3'000'000));
}

// Several times the budget, sizes mixed: the budget holds, slots are reused, and whatever is found is right.
TEST_F(StoreDisk, EvictsWithinItsBudget) {
  close();
  options_.disk_bytes = 24 << 20;
  options_.memory_bytes = 16 << 20;
  open();
  std::mt19937_64 random(seed(5));
  std::map<std::string, std::size_t> sizes;
  for (int i = 0; i < 300; ++i) {
    const std::string key = "/" + std::to_string(i);
    sizes[key] = i % 5 == 0 ? 1 + random() % 16'384 : 16'385 + random() % 1'500'000;
    fill_to_disk(key, sizes[key]);
    ASSERT_LE(store_->counters().disk_bytes, options_.disk_bytes);
  }
  EXPECT_EQ(store_->counters().disk_writes, 300u);
  EXPECT_EQ(store_->counters().disk_writes_shed, 0u);
  EXPECT_GT(store_->counters().disk_evictions, 150u);
  EXPECT_GT(store_->counters().disk_bytes, options_.disk_bytes / 2);
  reopen();
  std::uint64_t slab_bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(options_.directory + "/slabs")) {
    slab_bytes += file.file_size();
  }
  EXPECT_LE(slab_bytes, options_.disk_bytes);
  std::uint64_t found = 0;
  for (const auto& [key, size] : sizes) {
    const Loaded loaded = load(key);
    if (loaded.tier == Tier::none) continue;
    ++found;
    ASSERT_EQ(bytes_of(*loaded.object), body_of(key, size)) << key;
  }
  EXPECT_EQ(found, store_->counters().disk_hits);
  EXPECT_GT(found, 10u);
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

TEST_F(StoreDisk, ANewerResponseReplacesTheOlder) {
  for (const auto& [first, second] : std::vector<std::pair<std::size_t, std::size_t>>{
           {100'000, 200'000}, {100'000, 100}, {100, 100'000}, {100, 200}}) {
    const std::string key = "/" + std::to_string(first) + "-" + std::to_string(second);
    fill_to_disk(key, first);
    store_->erase(key);
    fill(key, body_of(key + "new", second));
    reopen();
    const Loaded loaded = load(key);
    ASSERT_EQ(loaded.tier, Tier::disk);
    EXPECT_EQ(bytes_of(*loaded.object), body_of(key + "new", second));
  }
}

TEST_F(StoreDisk, ErasedIsGoneAlsoAfterARestart) {
  for (const std::size_t size : {100, 100'000, 2'000'000}) {
    const std::string key = "/" + std::to_string(size);
    fill_to_disk(key, size);
    store_->erase(key);
    EXPECT_EQ(load(key).tier, Tier::none);
    fill(key + "b", body_of(key, size));
    store_->erase(key + "b");  // on its way to disk
  }
  reopen();
  EXPECT_EQ(store_->counters().disk_objects, 0u);
  EXPECT_EQ(store_->counters().disk_bytes, 0u);
}

TEST_F(StoreDisk, ErasedDuringItsLoadIsNotFoundAgain) {
  fill_to_disk("/a", 2'000'000);
  reopen();
  Lookup found = store_->lookup("/a");
  store_->load(std::move(*found.permit), [&](Tier, std::optional<FillPermit>) { ring_->stop(); });
  store_->erase("/a");
  ring_->run();
  EXPECT_EQ(load("/a").tier, Tier::none);
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

TEST_F(StoreDisk, ShedsWritesWhenTheQueueIsFull) {
  close();
  options_.disk_queue_bytes = 4 << 20;
  open();
  for (int i = 0; i < 20; ++i) fill("/" + std::to_string(i), body_of("/" + std::to_string(i), 1 << 20));
  EXPECT_EQ(store_->counters().disk_writes_shed, 16u);
  EXPECT_LE(store_->counters().disk_queue_bytes, options_.disk_queue_bytes);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(load("/" + std::to_string(i)).tier, Tier::memory);
  reopen();
  EXPECT_EQ(store_->counters().disk_objects, 4u);
}

TEST_F(StoreDisk, WritesNothingWithoutRoom) {
  close();
  options_.disk_bytes = 1 << 20;  // less than one unit beside the inline share
  open();
  fill_to_disk("/large", 500'000);
  fill_to_disk("/small", 500);
  EXPECT_EQ(store_->counters().disk_writes_shed, 1u);
  reopen();
  EXPECT_EQ(load("/small").tier, Tier::disk);
  EXPECT_EQ(load("/large").tier, Tier::none);
}

TEST_F(StoreDisk, InlineBodiesKeepToTheirShare) {
  close();
  options_.disk_bytes = 8 << 20;
  open();
  for (int i = 0; i < 200; ++i) fill_to_disk("/" + std::to_string(i), 10'000);
  EXPECT_LE(store_->counters().disk_bytes, options_.disk_bytes / 16);
  EXPECT_GT(store_->counters().disk_objects, 30u);
  reopen();
  EXPECT_EQ(load("/199").tier, Tier::disk);
}

TEST_F(StoreDisk, ASmallerBudgetDropsWhatLiesBeyond) {
  for (int i = 0; i < 60; ++i) fill_to_disk("/" + std::to_string(i), 2'000'000);
  close();
  options_.disk_bytes = 40 << 20;
  open();
  EXPECT_LE(store_->counters().disk_bytes, options_.disk_bytes);
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
  int found = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "/" + std::to_string(i);
    const Loaded loaded = load(key);
    if (loaded.tier == Tier::none) continue;
    ++found;
    EXPECT_EQ(bytes_of(*loaded.object), body_of(key, 2'000'000));
  }
  EXPECT_GT(found, 10);
  close();
  options_.disk_bytes = 200 << 20;
  open();
  EXPECT_EQ(store_->counters().disk_objects, static_cast<std::uint64_t>(found));
  fill_to_disk("/new", 2'000'000);
}

TEST_F(StoreDisk, ProbeFindsWhatIsOnDisk) {
  fill_to_disk("/a", 100'000);
  reopen();
  for (const char* key : {"/a", "/b"}) {
    std::optional<Store::Probe> seen;
    store_->probe(key, [&](std::optional<Store::Probe> probe) {
      seen = std::move(probe);
      ring_->stop();
    });
    ring_->run();
    ASSERT_EQ(seen.has_value(), std::string(key) == "/a");
    if (!seen) continue;
    EXPECT_EQ(seen->tier, Tier::disk);
    EXPECT_EQ(seen->bytes_present, 100'000u);
    EXPECT_EQ(seen->meta.etag, "\"e1\"");
  }
  EXPECT_EQ(store_->counters().memory_objects, 0u);
}

TEST_F(StoreDisk, CloseWaitsForWrites) {
  for (int i = 0; i < 10; ++i) fill("/" + std::to_string(i), body_of("/" + std::to_string(i), 1'000'000));
  reopen();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bytes_of(*load("/" + std::to_string(i)).object), body_of("/" + std::to_string(i), 1'000'000));
  }
}

TEST_F(StoreDisk, OneProcessAtATime) {
  const auto second = Store::open(*ring_, clock_, options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::io_failed);
}

// Random fills, loads and erases of few keys, so that writes, loads, evictions and erasures of one key meet.
TEST_F(StoreDisk, RandomWorkServesOnlyRightBytes) {
  close();
  options_.disk_bytes = 12 << 20;
  options_.memory_bytes = 8 << 20;
  open();
  std::mt19937_64 random(seed(9));
  std::map<std::string, std::string> latest;  // key -> body now in force
  for (int step = 0; step < 3000; ++step) {
    const std::string key = "/" + std::to_string(random() % 30);
    if (random() % 10 == 0) {
      store_->erase(key);
      latest.erase(key);
      continue;
    }
    Loaded loaded = load(key);
    if (loaded.tier != Tier::none) {
      ASSERT_EQ(bytes_of(*loaded.object), latest[key]) << "step " << step;
      continue;
    }
    latest[key] = body_of(key + std::to_string(step), random() % 4 == 0 ? random() % 16'384 : random() % 900'000);
    ASSERT_TRUE(fill(std::move(*loaded.permit), latest[key]).ok());
    if (random() % 4 == 0) settle();
  }
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
  EXPECT_GT(store_->counters().disk_hits, 50u);
  reopen();
  for (const auto& [key, body] : latest) {
    const Loaded loaded = load(key);
    if (loaded.tier == Tier::none) continue;
    EXPECT_EQ(bytes_of(*loaded.object), body) << key;
  }
}

// Each waits for a slot that another one's record has to leave first; the room is made for many of them at a time.
TEST_F(StoreDisk, AFullDiskTakesAQueueOfObjectsAndShedsNone) {
  constexpr int kOld = 128;
  constexpr int kNew = 30;
  close();
  options_.memory_bytes = 128 << 20;
  options_.disk_bytes = std::uint64_t{kOld} << 20;
  open();
  for (int i = 0; i < kOld; ++i) fill_to_disk("/old/" + std::to_string(i), 1 << 20);
  const std::uint64_t before = store_->counters().disk_writes;
  for (int i = 0; i < kNew; ++i) fill("/new/" + std::to_string(i), body_of("/new/" + std::to_string(i), 1 << 20));
  settle();
  const auto counters = store_->counters();
  EXPECT_EQ(counters.disk_writes_shed, 0u);
  EXPECT_EQ(counters.disk_writes, before + kNew);
  EXPECT_GE(counters.disk_evictions, std::uint64_t{kNew});
  EXPECT_LE(counters.disk_evictions, std::uint64_t{kNew} + 16) << "no more than may be written at once";
  EXPECT_LE(counters.disk_bytes, options_.disk_bytes);
  const std::string last = "/new/" + std::to_string(kNew - 1);
  reopen();
  EXPECT_TRUE(bytes_of(*load(last).object) == body_of(last, 1 << 20));
}

}  // namespace
}  // namespace reelway::edge
