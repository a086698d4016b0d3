#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/edge/store/store_fixture.h"

// A disk that takes no more, by the process's limit on file sizes: allocating a slab file fails, or every write to
// the index does. The store goes on from memory, and uses the disk again when it can.

namespace reelway::edge {
namespace {

class ManualClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now_; }
  Wall wall() const override { return Wall{}; }
  void advance(std::chrono::seconds by) { now_ += by; }

 private:
  Monotonic now_{std::chrono::hours(1)};
};

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class StoreFull : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_disk();
  }
  void open_with_manual_clock() {
    auto opened = Store::open(*ring_, manual_clock_, options_);
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
  }

  ManualClock manual_clock_;
};

TEST_F(StoreFull, WithoutRoomForASlabFileItServesFromMemoryAndTriesAgain) {
  open_with_manual_clock();
  {
    const FileSizeLimit limit(32 << 20);
    fill_to_disk("/large", 500'000);
    fill_to_disk("/small", 500);
    EXPECT_EQ(store_->counters().disk_writes_shed, 1u);
    EXPECT_EQ(store_->counters().disk_objects, 1u);
    EXPECT_EQ(load("/large").tier, Tier::memory);
  }
  fill_to_disk("/soon", 500'000);
  EXPECT_EQ(store_->counters().disk_writes_shed, 2u) << "it does not try at each write";
  manual_clock_.advance(std::chrono::seconds(11));
  fill_to_disk("/later", 500'000);
  EXPECT_EQ(store_->counters().disk_writes_shed, 2u);
  close();
  open_with_manual_clock();
  EXPECT_EQ(load("/later").tier, Tier::disk);
  EXPECT_EQ(load("/small").tier, Tier::disk);
  EXPECT_EQ(load("/large").tier, Tier::none);
}

TEST_F(StoreFull, EvictsWhenItsFilesCannotGrow) {
  options_.disk_bytes = 200 << 20;
  open_with_manual_clock();
  ASSERT_TRUE(std::filesystem::create_directory(options_.directory + "/slabs/1.slab"));  // stands in the way
  for (int i = 1; i < 100; ++i) fill_to_disk("/" + std::to_string(i), 1 << 20);
  EXPECT_GT(store_->counters().disk_evictions, 20u);
  EXPECT_LE(store_->counters().disk_bytes, SlabFiles::kSlabBytes);
  EXPECT_EQ(bytes_of(*load("/99").object), body_of("/99", 1 << 20));
}

TEST_F(StoreFull, AnIndexThatTakesNoWritesIsTriedAgain) {
  open();
  fill_to_disk("/before", 500'000);
  fill_to_disk("/erased", 500'000);
  {
    const FileSizeLimit limit(0);
    fill_to_disk("/small", 500);
    EXPECT_EQ(load("/small").tier, Tier::memory);
    EXPECT_GE(store_->counters().disk_write_errors, 1u);
    EXPECT_EQ(bytes_of(*load("/before").object), body_of("/before", 500'000));
    store_->erase("/erased");
    store_->erase("/small");
  }
  // Until the next try writes are shed; then they pass again, the kept-back removal first.
  int tries = 0;
  run_until([&] {
    if (store_->counters().disk_queue_bytes > 0) return false;
    if (store_->counters().disk_objects >= 2) return true;
    const std::string key = "/after" + std::to_string(tries++);
    fill(key, body_of(key, 500));
    return false;
  });
  reopen();
  EXPECT_EQ(load("/before").tier, Tier::disk);
  EXPECT_EQ(load("/erased").tier, Tier::none);
  EXPECT_EQ(load("/small").tier, Tier::none);
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

}  // namespace
}  // namespace reelway::edge
