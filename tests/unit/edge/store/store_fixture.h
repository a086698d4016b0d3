#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/crc32c.h"
#include "common/ring/ring.h"
#include "edge/store/disk_record.h"
#include "edge/store/record_index.h"
#include "edge/store/slab_files.h"
#include "edge/store/store.h"

namespace reelway::edge {

// A body that follows from its key and length alone, so that any process can tell whether bytes are right.
inline std::string body_of(std::string_view key, std::size_t bytes) {
  std::uint64_t state = 0x9e3779b97f4a7c15 ^ bytes;
  for (const char byte : key) state = (state ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  std::string body(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    if (i % 8 == 0) state = state * 6364136223846793005u + 1442695040888963407u;
    body[i] = static_cast<char>(state >> (8 * (i % 8)));
  }
  return body;
}

// The same in every run, but with --gtest_shuffle (and --gtest_repeat) another each time: for long runs.
inline std::uint64_t seed(std::uint64_t of_test) {
  return of_test + 1000 * static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "reelway-store-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class StoreFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = ring::Ring::create();
    ASSERT_TRUE(made.ok()) << describe(made.error());
    ring_ = std::move(made).value();
    options_.memory_bytes = 64 << 20;
    options_.disk_bytes = 256 << 20;
  }
  void TearDown() override { close(); }

  void use_disk() { options_.directory = directory_.path() + "/store"; }
  // Opened, and its index loaded.
  void open() {
    open_only();
    if (store_) run_until([this] { return store_->counters().disks_loading == 0; });
  }
  void open_only() {
    auto opened = Store::open(*ring_, clock_, options_);
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
  }
  void close() {
    if (!store_) return;
    store_->close([this] { ring_->stop(); });
    ring_->run();
    store_.reset();
  }
  void reopen() {
    close();
    open();
  }

  void run_until(const std::function<bool()>& reached) {
    std::function<void()> look = [&] {
      if (reached()) return ring_->stop();
      ring_->post([&look] { look(); });
    };
    ring_->post([&look] { look(); });
    ring_->run();
  }
  void settle() {
    run_until([this] { return store_->counters().disk_queue_bytes == 0; });
  }

  static ObjectMeta meta_of(const std::string& body) {
    ObjectMeta meta;
    meta.status = 200;
    meta.content_type = "video/mp4";
    meta.etag = "\"e1\"";
    meta.cache_control = "public, max-age=31536000, immutable";
    meta.length = body.size();
    meta.crc32c = crc32c(as_bytes(body));
    meta.received_ms = 1'700'000'000'000;
    meta.fresh_until_ms = 1'800'000'000'000;
    return meta;
  }

  Result<void> fill(FillPermit permit, const std::string& body, bool keep = true) {
    permit.head(meta_of(body), keep);
    permit.append(as_bytes(body));
    return permit.complete();
  }
  void fill(const std::string& key, const std::string& body) {
    Lookup found = store_->lookup(key);
    ASSERT_EQ(found.kind, Lookup::Kind::fill);
    const auto filled = fill(std::move(*found.permit), body);
    ASSERT_TRUE(filled.ok()) << describe(filled.error());
  }
  // A body derived from the key, brought to disk.
  void fill_to_disk(const std::string& key, std::size_t bytes) {
    fill(key, body_of(key, bytes));
    settle();
  }

  struct Loaded {
    Tier tier = Tier::none;
    std::shared_ptr<Object> object;
    std::optional<FillPermit> permit;
  };
  // From memory, or from disk; with the permit when it is nowhere.
  Loaded load(const std::string& key) {
    Loaded loaded;
    Lookup found = store_->lookup(key);
    loaded.object = found.object;
    if (found.kind == Lookup::Kind::hit) {
      loaded.tier = Tier::memory;
      return loaded;
    }
    EXPECT_EQ(found.kind, Lookup::Kind::fill);
    store_->load(std::move(*found.permit), [&](Tier tier, std::optional<FillPermit> permit) {
      loaded.tier = tier;
      loaded.permit = std::move(permit);
      ring_->stop();
    });
    ring_->run();
    return loaded;
  }

  static std::string bytes_of(const Object& object) {
    std::string all;
    for (ByteView part = object.view(0); !part.empty(); part = object.view(all.size())) all += as_text(part);
    return all;
  }

  // The records as they are on disk; the store must be closed.
  std::map<std::string, DiskRecord> records() {
    std::map<std::string, DiskRecord> found;
    auto index = RecordIndex::open(options_.directory + "/index");
    EXPECT_TRUE(index.ok());
    EXPECT_TRUE((*index)
                    ->for_each([&](std::string_view key, ByteView bytes) {
                      auto record = decode_record(key, bytes);
                      EXPECT_TRUE(record.has_value());
                      if (record) found.emplace(key, std::move(*record));
                      return true;
                    })
                    .ok());
    return found;
  }
  std::string slab_path(const Extent& extent) const {
    return options_.directory + "/slabs/" + std::to_string(extent.offset() / SlabFiles::kSlabBytes) + ".slab";
  }
  std::string read_extent(const StoredExtent& part) const {
    std::ifstream file(slab_path(part.extent), std::ios::binary);
    file.seekg(static_cast<std::streamoff>(part.extent.offset() % SlabFiles::kSlabBytes));
    std::string bytes(part.bytes, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  void write_extent(const StoredExtent& part, const std::string& bytes) const {
    std::fstream file(slab_path(part.extent), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(part.extent.offset() % SlabFiles::kSlabBytes));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  TempDirectory directory_;
  SystemClock clock_;
  StoreOptions options_;
  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<Store> store_;
};

}  // namespace reelway::edge
