#include <unistd.h>

#include <chrono>

#include "tests/unit/edge/store/child_process.h"
#include "tests/unit/edge/store/store_fixture.h"

// A store with many objects is killed and opened again. The child makes it sparsely: records through the index, the
// bodies of segments as holes in slab files. In the full size, as figures are taken of it:
//   REELWAY_STORE_SMALL=1000000 REELWAY_STORE_SEGMENTS=50000 test_edge_store --gtest_filter='StoreStart.*'

namespace reelway::edge {
namespace {

constexpr std::size_t kSegmentBytes = 96'000;
constexpr std::size_t kSmallBytes = 512;

std::size_t count_from_environment(const char* name, std::size_t otherwise) {
  const char* text = ::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string small_key(std::size_t number) {
  return "/film-" + std::to_string(number % 997) + "/v1/video/720/" + std::to_string(number) + ".m3u8|all";
}
std::string segment_key(std::size_t number) {
  return "/film-" + std::to_string(number % 997) + "/v1/video/720/" + std::to_string(number) + ".m4s|all";
}

class StoreStart : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    options_.disk_bytes = (std::uint64_t{segments_} * 131'072 + std::uint64_t{small_} * 1024) * 2 + (256 << 20);
  }

  [[noreturn]] void make_and_wait(const char* directory);
  RecordIndex::Change small(std::size_t number, const std::string& body);
  RecordIndex::Change segment(std::size_t number, std::uint32_t crc_of_zeros);

  const std::size_t small_ = count_from_environment("REELWAY_STORE_SMALL", 20'000);
  const std::size_t segments_ = count_from_environment("REELWAY_STORE_SEGMENTS", 1'000);
};

RecordIndex::Change StoreStart::small(std::size_t number, const std::string& body) {
  DiskRecord record;
  record.sequence = number + 1;
  record.is_inline = true;
  record.meta = meta_of(body);
  record.meta.key = small_key(number);
  RecordIndex::Change change;
  change.key = record.meta.key;
  change.body.emplace(body.begin(), body.end());
  change.record = encode_record(record);
  return change;
}

RecordIndex::Change StoreStart::segment(std::size_t number, std::uint32_t crc_of_zeros) {
  DiskRecord record;
  record.sequence = small_ + number + 1;
  record.meta.key = segment_key(number);
  record.meta.length = kSegmentBytes;
  record.meta.crc32c = crc_of_zeros;
  record.meta.fresh_until_ms = 1'900'000'000'000;
  record.extents = {{{static_cast<std::uint32_t>(2 * number), 1}, kSegmentBytes, crc_of_zeros}};
  RecordIndex::Change change;
  change.key = record.meta.key;
  change.record = encode_record(record);
  return change;
}

void StoreStart::make_and_wait(const char* directory) {
  auto index = RecordIndex::open(std::string(directory) + "/index");
  auto slabs = SlabFiles::open(std::string(directory) + "/slabs", 2 * segments_ * 131'072 / (1 << 20) * (1 << 20));
  if (!index.ok() || !slabs.ok()) ::_exit(5);
  while (slabs->ready_bytes() < segments_ * 131'072) slabs->add(std::move(SlabFiles::make(slabs->next())).value());
  const std::uint32_t crc_of_zeros = crc32c(Bytes(kSegmentBytes));
  std::vector<RecordIndex::Change> batch;
  const auto flush = [&] {
    if (!(*index)->apply(batch).ok()) ::_exit(6);
    batch.clear();
  };
  for (std::size_t i = 0; i < std::max(small_, segments_); ++i) {
    if (i < small_) batch.push_back(small(i, body_of(small_key(i), kSmallBytes)));
    if (i < segments_) batch.push_back(segment(i, crc_of_zeros));
    if (batch.size() >= 512) flush();
  }
  flush();
  ChildProcess::say_ready();
  for (;;) ::pause();
}

TEST_F(StoreStart, EverythingIsThereSoonAfterAKill) {
  if (const char* directory = ChildProcess::directory()) make_and_wait(directory);
  use_disk();
  {
    const ChildProcess child("StoreStart.EverythingIsThereSoonAfterAKill", options_.directory);
    ASSERT_TRUE(child.wait_until_ready());
    child.kill();
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed_ms = [begin] {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  };
  open_only();
  const double opened_ms = elapsed_ms();
  EXPECT_EQ(bytes_of(*load(small_key(small_ / 2)).object), body_of(small_key(small_ / 2), kSmallBytes));
  const double first_hit_ms = elapsed_ms();
  run_until([&] { return store_->counters().disks_loading == 0; });
  const double loaded_ms = elapsed_ms();
  EXPECT_EQ(store_->counters().disk_objects, small_ + segments_);
  std::printf("%zu small and %zu segments: open %.0f ms, first hit %.0f ms, index %.0f ms\n", small_, segments_,
              opened_ms, first_hit_ms, loaded_ms);
  const std::size_t stride = std::max<std::size_t>(1, small_ / 5000);
  for (std::size_t i = 0; i < small_; i += stride) {
    const Loaded loaded = load(small_key(i));
    ASSERT_EQ(loaded.tier == Tier::none, false) << i;
    ASSERT_EQ(bytes_of(*loaded.object), body_of(small_key(i), kSmallBytes));
  }
  for (std::size_t i = 0; i < segments_; i += stride) {
    const Loaded loaded = load(segment_key(i));
    ASSERT_EQ(loaded.tier, Tier::disk) << i;
    ASSERT_EQ(loaded.object->bytes_present(), kSegmentBytes);
  }
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
}

// What is asked, erased, purged, freshened and filled before the index is there: none of it is lost or wrong.
TEST_F(StoreStart, ServesBeforeTheIndexIsThere) {
  use_disk();
  options_.disk_bytes = 256 << 20;
  open();
  for (int i = 0; i < 60; ++i) fill_to_disk("/" + std::to_string(i) + "|all", i % 2 == 0 ? 100 : 300'000);
  close();
  open_only();
  ASSERT_EQ(store_->counters().disks_loading, 1u);
  store_->erase("/0|all");
  store_->erase("/1|all");
  bool is_purged = false;
  store_->purge({PurgeRequest::Kind::prefix, "/2", false}, [&](const Result<PurgeResult>& result) {
    is_purged = true;
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result->objects, 11u) << "/2 and /20 to /29";
  });
  ObjectMeta fresh = meta_of("");
  fresh.length.reset();
  fresh.crc32c.reset();
  fresh.headers = "X-Validated: yes\r\n";
  store_->freshen("/3|all", fresh);
  fill("/new|all", body_of("/new|all", 300'000));
  ASSERT_EQ(store_->counters().disks_loading, 1u);
  int asked = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "/" + std::to_string(i) + "|all";
    const bool is_gone = i < 2 || i == 2 || (i >= 20 && i < 30);
    Lookup found = store_->lookup(key);
    ASSERT_EQ(found.kind, Lookup::Kind::fill);
    store_->load(std::move(*found.permit), [&, is_gone, i](Tier tier, std::optional<FillPermit>) {
      EXPECT_EQ(tier, is_gone ? Tier::none : Tier::disk) << i;
      ++asked;
    });
  }
  run_until([&] { return asked == 60 && is_purged; });
  EXPECT_EQ(store_->counters().disk_corrupt, 0u);
  for (int i = 3; i < 20; ++i) {
    const std::string key = "/" + std::to_string(i) + "|all";
    EXPECT_EQ(bytes_of(*load(key).object), body_of(key, i % 2 == 0 ? 100 : 300'000));
  }
  reopen();
  EXPECT_EQ(store_->counters().disk_objects, 60u - 2u - 11u + 1u);
  EXPECT_EQ(load("/3|all").object->meta().headers, "X-Validated: yes\r\n");
  EXPECT_EQ(bytes_of(*load("/new|all").object), body_of("/new|all", 300'000));
}

TEST_F(StoreStart, MayBeClosedBeforeTheIndexIsThere) {
  use_disk();
  options_.disk_bytes = 256 << 20;
  open();
  for (int i = 0; i < 20; ++i) fill_to_disk("/" + std::to_string(i), 100'000);
  close();
  open_only();
  fill("/new", "new");
  close();
  open();
  EXPECT_GE(store_->counters().disk_objects, 20u);
}

}  // namespace
}  // namespace reelway::edge
