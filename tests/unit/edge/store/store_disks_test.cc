#include <cerrno>
#include <mutex>

#include "edge/store/disk_faults.h"
#include "edge/store/disk_health.h"
#include "tests/unit/edge/store/store_fixture.h"

// Several disks, of which one fails.

namespace reelway::edge {
namespace {

class OneBadDisk final : public DiskFaults {
 public:
  int fault(Operation operation, std::string_view directory) override {
    const std::lock_guard lock(mutex_);
    return directory == directory_ && operation == operation_ ? error_ : 0;
  }
  void begin(std::string directory, Operation operation, int error) {
    const std::lock_guard lock(mutex_);
    directory_ = std::move(directory);
    operation_ = operation;
    error_ = error;
  }
  void end() { begin("", Operation::read_body, 0); }

 private:
  std::mutex mutex_;
  std::string directory_;
  Operation operation_ = Operation::read_body;
  int error_ = 0;
};

class StoreDisks : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_disk();
    options_.further_disks = {{directory_.path() + "/second", 128 << 20}, {directory_.path() + "/third", 128 << 20}};
    options_.memory_bytes = 16 << 20;
    options_.faults = &faults_;
    open();
  }
  static std::string key(int number) { return "/" + std::to_string(number) + "|all"; }
  static std::size_t size(int number) { return number % 2 == 0 ? 1000 : 200'000; }
  void fill_all(int count) {
    for (int i = 0; i < count; ++i) fill_to_disk(key(i), size(i));
  }
  // How many are found; each must be right.
  int found_of(int count) {
    int found = 0;
    for (int i = 0; i < count; ++i) {
      const Loaded loaded = load(key(i));
      if (loaded.tier == Tier::none) continue;
      EXPECT_EQ(bytes_of(*loaded.object), body_of(key(i), size(i))) << i;
      ++found;
    }
    return found;
  }
  // Asks for objects until the store has given a disk up.
  void use_until_given_up(int count) {
    for (int i = 0; i < count && store_->counters().disks_out == 0; ++i) {
      store_->freshen(key(i), meta_of(body_of(key(i), size(i))));
      (void)load(key(i));
    }
    run_until([this] { return store_->counters().disk_objects_lost > 0; });
    ASSERT_EQ(store_->counters().disks_out, 1u);
  }

  OneBadDisk faults_;
};

TEST_F(StoreDisks, EachTakesTheShareOfItsSize) {
  fill_all(200);
  EXPECT_EQ(store_->counters().disks_in_service, 3u);
  EXPECT_EQ(store_->counters().disk_objects, 200u);
  EXPECT_EQ(found_of(200), 200);
  std::uint64_t objects = 0;
  for (const DiskReport& disk : store_->disks()) {
    EXPECT_TRUE(disk.is_in_service) << disk.directory;
    EXPECT_GT(disk.bytes, 0u) << disk.directory;
    objects += disk.objects;
  }
  EXPECT_EQ(objects, 200u);
  reopen();
  EXPECT_EQ(found_of(200), 200);
  close();
  const std::size_t first = records().size();
  EXPECT_GT(first, 70u) << "half of the space, so about half of the objects";
  EXPECT_LT(first, 130u);
}

TEST_F(StoreDisks, OneThatFailsIsGivenUpAndTheOthersGoOn) {
  fill_all(240);
  reopen();
  faults_.begin(options_.further_disks[0].directory, DiskFaults::Operation::read_body, EIO);
  use_until_given_up(240);
  EXPECT_GT(store_->counters().disk_objects_lost, 5u);
  const std::vector<DiskReport> disks = store_->disks();
  ASSERT_EQ(disks.size(), 3u);
  EXPECT_EQ(disks[1].directory, options_.further_disks[0].directory);
  EXPECT_FALSE(disks[1].is_in_service);
  EXPECT_GT(disks[1].read_errors, 0u);
  EXPECT_EQ(disks[1].objects, 0u);
  EXPECT_TRUE(disks[0].is_in_service);
  EXPECT_EQ(disks[0].read_errors, 0u);
  const int found = found_of(240);
  EXPECT_GT(found, 120);
  EXPECT_LT(found, 240);
  for (int i = 300; i < 330; ++i) fill_to_disk(key(i), size(i));
  faults_.end();
  reopen();
  for (int i = 300; i < 330; ++i) EXPECT_TRUE(bytes_of(*load(key(i)).object) == body_of(key(i), size(i))) << i;
}

// What was replaced and purged while it was out does not come back with it.
TEST_F(StoreDisks, OneThatComesBackStartsEmpty) {
  fill_all(60);
  reopen();
  faults_.begin(options_.further_disks[0].directory, DiskFaults::Operation::write_index, EROFS);
  use_until_given_up(60);
  faults_.end();
  std::optional<Result<PurgeResult>> purged;
  store_->purge({PurgeRequest::Kind::prefix, "/", false},
                [&](Result<PurgeResult> result) { purged = std::move(result); });
  run_until([&] { return purged.has_value(); });
  EXPECT_TRUE(purged->ok());
  reopen();
  EXPECT_EQ(store_->counters().disks_in_service, 3u);
  EXPECT_EQ(store_->counters().disk_objects, 0u);
  EXPECT_EQ(found_of(60), 0);
  fill_all(60);
  reopen();
  EXPECT_EQ(found_of(60), 60);
}

TEST_F(StoreDisks, OneThatWasAwayForAWhileStartsEmpty) {
  fill_all(60);
  close();
  const auto away = options_.further_disks;
  options_.further_disks.pop_back();
  open();
  const int without = found_of(60);
  EXPECT_LT(without, 60);
  close();
  options_.further_disks = away;
  open();
  EXPECT_EQ(found_of(60), without);
}

TEST_F(StoreDisks, OneThatCannotBeOpenedIsLeftOut) {
  fill_all(30);
  close();
  std::filesystem::remove_all(options_.further_disks[0].directory);
  std::ofstream(options_.further_disks[0].directory) << "no directory";
  open();
  EXPECT_EQ(store_->counters().disks_in_service, 2u);
  EXPECT_EQ(store_->counters().disks_out, 1u);
  EXPECT_EQ(store_->disks().back().directory, options_.further_disks[0].directory);
  EXPECT_FALSE(store_->disks().back().is_in_service);
  EXPECT_GT(found_of(30), 10);
}

TEST_F(StoreDisks, WithoutAnyItServesFromMemory) {
  close();
  options_.further_disks.clear();
  open();
  fill_all(10);
  faults_.begin(options_.directory, DiskFaults::Operation::write_index, EROFS);
  use_until_given_up(10);
  fill("/new|all", "new");
  EXPECT_EQ(bytes_of(*store_->lookup("/new|all").object), "new");
  std::optional<Result<PurgeResult>> purged;
  store_->purge({PurgeRequest::Kind::url, "/new", false},
                [&](Result<PurgeResult> result) { purged = std::move(result); });
  EXPECT_EQ(store_->lookup("/new|all").kind, Lookup::Kind::fill);
  run_until([&] { return purged.has_value(); });
  ASSERT_FALSE(purged->ok());
  EXPECT_EQ(purged->error().code, ErrorCode::io_failed) << "in effect, but it will not outlive a restart";
}

TEST_F(StoreDisks, AFullOneIsReadOn) {
  fill_all(20);
  reopen();
  int number = 20;
  for (const auto operation : {DiskFaults::Operation::write_body, DiskFaults::Operation::make_slab}) {
    faults_.begin(options_.directory, operation, ENOSPC);
    for (const int last = number + 40; number < last; ++number) fill_to_disk(key(number), size(number));
  }
  EXPECT_EQ(store_->counters().disks_out, 0u);
  EXPECT_EQ(found_of(20), 20);
}

TEST(DiskHealth, GivesUpAfterFailuresInARowOrTooManyInAMinute) {
  using Part = DiskHealth::Part;
  const SystemClock clock;
  int given_up = 0;
  DiskHealth in_row(clock, [&](std::string_view) { ++given_up; });
  for (int i = 0; i < DiskHealth::kFailuresInRow - 1; ++i) in_row.failed(Part::bodies, EIO);
  EXPECT_EQ(given_up, 0);
  in_row.succeeded(Part::bodies);
  in_row.failed(Part::bodies, EIO);
  EXPECT_EQ(given_up, 0);
  for (int i = 0; i < DiskHealth::kFailuresInWindow; ++i) {
    in_row.failed(Part::bodies, EIO);
    in_row.succeeded(Part::bodies);
  }
  EXPECT_EQ(given_up, 1);
  DiskHealth full(clock, [&](std::string_view) { ++given_up; });
  for (int i = 0; i < 1000; ++i) full.failed(Part::bodies, ENOSPC);
  EXPECT_EQ(given_up, 1);
  full.failed(Part::index, EROFS);
  EXPECT_EQ(given_up, 2);
}

}  // namespace
}  // namespace reelway::edge
