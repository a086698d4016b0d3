#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/crc32c.h"
#include "origin/catalog/published_version.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/leftovers.h"
#include "origin/mp4/track_index.h"
#include "origin/storage/collector.h"
#include "origin/storage/copier.h"
#include "origin/storage/scrubber.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {

class SetClock final : public Clock {
 public:
  Monotonic monotonic() const override { return Monotonic(std::chrono::milliseconds(now_ms)); }
  Wall wall() const override { return Wall(std::chrono::milliseconds(now_ms)); }
  std::int64_t now_ms = 1'800'000'000'000;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine());
  }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine() % count); }
  std::mt19937_64 engine;
};

// The end of a process, at the n-th thing that it does to store or disk.
struct Crash {
  std::optional<std::size_t> after;
  bool is_over = false;
  // Whether the process is still there for one more.
  bool step() {
    if (is_over) return false;
    if (!after) return true;
    if (*after == 0) return is_over = true, false;
    --*after;
    return true;
  }
  static Error error() { return {ErrorCode::store_unavailable, Side::self, true, "the process is over"}; }
};

// A store whose process ends when the crash comes; of a transaction then nobody knows whether it was applied.
class CrashingStore final : public ControlStore {
 public:
  CrashingStore(ControlStore& store, Crash& crash) : store_(store), crash_(crash) {}
  Result<TxnReply> txn(const Txn& txn) override {
    if (before_txn && !txn.then_operations.empty() && txn.then_operations.front().kind != Operation::Kind::get) {
      std::exchange(before_txn, nullptr)();
    }
    if (crash_.is_over) return Crash::error();
    const bool goes_on = crash_.step();
    if (!goes_on && loses_last) return Crash::error();
    Result<TxnReply> reply = store_.txn(txn);
    if (!goes_on) return Crash::error();
    return reply;
  }
  Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after_key) override {
    if (crash_.is_over) return Crash::error();
    return store_.range(prefix, limit, after_key);
  }
  std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                               std::function<void(const WatchMessage&)> deliver) override {
    return store_.watch(std::move(prefix), from, std::move(deliver));
  }
  Result<void> compact(Revision floor) override { return store_.compact(floor); }
  Result<StoreStatus> status() override { return store_.status(); }

  bool loses_last = false;
  std::function<void()> before_txn;  // once, before a transaction that writes

 private:
  ControlStore& store_;
  Crash& crash_;
};

inline void write_file(const std::string& path, ByteView bytes) {
  ASSERT_TRUE(make_folders(path.substr(0, path.rfind('/'))).ok());
  ASSERT_TRUE(write_durably(path, bytes.data(), bytes.size()).ok());
}

// Changes one bit of a file.
inline void rot(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 4));
  ASSERT_TRUE(file.flush().good());
}

// Parts of the storage over one data folder, and films of random bytes whose indexes are real ones.
class StorageTest : public testing::Test {
 protected:
  static constexpr std::size_t kUnits = 5;
  static constexpr std::size_t kUnitBytes = 30'000;
  static constexpr std::size_t kHeadBytes = 700;  // before the first unit

  void SetUp() override {
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok());
    database_ = std::move(opened).value();
    options_.data_dir = folder_.path();
    options_.free_bytes_min = 0;
    options_.scrub_rate = options_.copy_rate = 1ull << 40;
    restart();
  }

  // What a new process finds and does at its start.
  void restart() {
    crash_ = {};
    store_ = std::make_unique<CrashingStore>(*database_, crash_);
    catalog_ = std::make_unique<Catalog>(*store_, clock_, CatalogOptions{.data_dir = folder_.path()});
    ledger_ = std::make_unique<StorageLedger>(*store_);
    parts_.reset(new StorageParts{*store_, *catalog_, clock_, random_, options_, *ledger_, nullptr, patience_,
                                  counters_, [this](const std::string& path) { replaced_.push_back(path); }});
    collector_ = std::make_unique<Collector>(*parts_, [this](const std::string& path) { return remove_files(path); });
    ASSERT_TRUE(remove_leftovers(*store_, *catalog_, folder_.path(), WorkFolders(folder_.path())).ok());
  }

  // A crash may come when some files of a folder are gone.
  Result<void> remove_files(const std::string& path) {
    if (crash_.step()) return remove_all(path);
    if (!std::filesystem::is_directory(path)) return Crash::error();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file() && random_.below(2) == 0) std::filesystem::remove(entry.path());
    }
    return Crash::error();
  }

  Bytes random_bytes(std::size_t count) {
    Bytes bytes(count);
    random_.fill(bytes);
    return bytes;
  }

  TrackRecord make_track(const std::string& folder, const std::string& name) {
    const Bytes bytes = random_bytes(kHeadBytes + kUnits * kUnitBytes);
    mp4::TrackIndex index;
    index.timescale = 1000;
    index.codecs = "avc1.64001f";
    index.width = 640;
    index.height = 360;
    index.file_bytes = bytes.size();
    ByteWriter entry;
    entry.u32(64);
    entry.append("avc1");
    entry.append(random_bytes(56));
    index.sample_entry = entry.take();
    std::vector<mp4::Unit> units;
    for (std::size_t i = 0; i < kUnits; ++i) {
      const std::uint64_t offset = kHeadBytes + i * kUnitBytes;
      const std::uint32_t crc = crc32c(ByteView(bytes).subspan(offset, kUnitBytes));
      units.push_back({static_cast<std::uint32_t>(i), 1, i * 2000, offset, kUnitBytes, crc});
    }
    index.samples =
        mp4::SampleTable(std::vector<mp4::Sample>(kUnits, {static_cast<std::uint32_t>(kUnitBytes), 2000, 0, true}));
    index.units = mp4::UnitTable(units, 2000);
    index.media_duration = index.edit_duration = kUnits * 2000;
    write_file(folder + "/" + name + ".mp4", bytes);
    write_file(folder + "/" + name + ".idx", mp4::serialize_index(index));
    TrackRecord track;
    track.id = "video/" + name;
    track.name = name;
    track.file = name + ".mp4";
    track.index = name + ".idx";
    track.bytes = bytes.size();
    return track;
  }

  // A version with its original, a file that was delivered with it, and tracks on the disk, not published yet.
  Result<std::pair<VersionRecord, JobRecord>> make_version(const std::string& title, bool is_new) {
    const Bytes original = random_bytes(100'000);
    Sha256 sum;
    sum.add(original);
    UploadRecord upload;
    upload.upload = random_.hex_id();
    upload.size_bytes = original.size();
    upload.state = UploadState::complete;
    upload.sha256 = sum.finish();
    Txn txn;
    txn.then_operations = {Operation::put(upload_key(upload.upload), to_json(upload))};
    const Result<TxnReply> put = store_->txn(txn);
    if (!put.ok()) return put.error();
    const auto job = catalog_->create({title, "", "en", 3, is_new, upload, random_.hex_id()});
    if (!job.ok()) return job.error();
    Result<VersionRecord> version = catalog_->version(title, job->version);
    if (!version.ok()) return version.error();
    write_file(catalog_->original_path(title, job->version), original);
    const Bytes stem = random_bytes(10'000);
    Sha256 stem_sum;
    stem_sum.add(stem);
    DeliveredFile delivered;
    delivered.name = "audio-1";
    delivered.bytes = stem.size();
    delivered.sha256 = stem_sum.finish();
    write_file(catalog_->delivered_path(title, job->version, delivered.name), stem);
    version->files.push_back(delivered);
    const std::string folder = catalog_->version_folder(title, job->version);
    for (const char* name : {"360", "720"}) version->tracks.push_back(make_track(folder, name));
    return std::pair(*version, *job);
  }

  Result<std::string> publish(const std::string& title, bool is_new) {
    const auto made = make_version(title, is_new);
    if (!made.ok()) return made.error();
    REELWAY_TRY(catalog_->publish(made->first, made->second));
    return made->first.version;
  }

  TemporaryFolder folder_;
  SetClock clock_;
  SeededRandom random_{1};
  Patience patience_;
  StorageOptions options_;
  StorageCounters counters_;
  Crash crash_;
  std::vector<std::string> replaced_;
  std::unique_ptr<ControlStore> database_;
  std::unique_ptr<CrashingStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<StorageLedger> ledger_;
  std::unique_ptr<StorageParts> parts_;
  std::unique_ptr<Collector> collector_;
};

}  // namespace reelway::origin
