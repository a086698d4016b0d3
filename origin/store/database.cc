#include "origin/store/database.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <shared_mutex>

#include "common/base/random.h"
#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/store/store_records.h"

// Model. One RocksDB, three column families (docs/formats/control_store.md):
//
//   default  is not used          kv   the present state
//   log      what each revision did, from the floor on     meta  format, cluster id, revision, floor
//
// Every batch writes kv, log and meta together and is synced, so after any crash the three agree: meta's revision is
// the log's last. open() checks that. RocksDB's own lock is per process and its message is for developers, so a lock
// file stands before it.
//
// handle_mutex: shared by every call that uses the handles, exclusive in reopen() only.

namespace reelway::origin {
namespace {

enum Family : std::size_t { kKv, kLog, kMeta, kFamilyCount };

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view text(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

Error store_error(const rocksdb::Status& status, const std::string& directory) {
  const std::string detail = "control store " + directory + ": " + status.ToString();
  if (status.IsCorruption()) return {ErrorCode::stored_data_corrupt, Side::disk, false, detail};
  if (status.IsNoSpace()) return {ErrorCode::disk_full, Side::disk, false, detail};
  return {ErrorCode::io_failed, Side::disk, false, detail};
}

// RocksDB's own log file is one more thing that can fail on a full disk, and Debian's build, with its assertions on,
// ends the process when that log is used again after a failed write. So what RocksDB has to say goes to our log.
class DatabaseLog final : public rocksdb::Logger {
 public:
  DatabaseLog() : rocksdb::Logger(rocksdb::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[512];
    std::vsnprintf(line, sizeof line, format, arguments);
    telemetry::log_warn("control store: RocksDB: {}", line);
  }
};

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.info_log = std::make_shared<DatabaseLog>();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // Every batch is synced before anybody is told of it. So only the last, unacknowledged one may be torn by a crash,
  // and any other damage must be reported, not skipped.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  options.max_total_wal_size = 64 << 20;
  options.max_open_files = 256;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 16 << 20;
  std::vector<rocksdb::ColumnFamilyDescriptor> list;
  for (const char* name : {"kv", "log", "meta"}) list.emplace_back(name, options);
  list.emplace_back(rocksdb::kDefaultColumnFamilyName, options);
  return list;
}

Result<UniqueFd> lock_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return system_error("mkdir", directory, errno);
  const std::string path = directory + "/reelway.lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return system_error("open", path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::store_unavailable, Side::self, true,
                 "another process has the control store " + directory + " open; end it first"};
  }
  return lock;
}

}  // namespace

struct Database::State {
  std::string directory;
  UniqueFd lock;
  mutable std::shared_mutex handle_mutex;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount + 1> family{};
  std::string cluster_id;
  std::atomic<Revision> revision = 0;
  std::atomic<Revision> floor = 1;

  ~State() { close(); }

  Error error(const rocksdb::Status& status) const { return store_error(status, directory); }
  Error corrupt(const std::string& what) const {
    return {ErrorCode::stored_data_corrupt, Side::disk, false, "control store " + directory + ": " + what};
  }

  void close() {
    if (!db) return;
    for (rocksdb::ColumnFamilyHandle*& handle : family) {
      if (handle != nullptr) db->DestroyColumnFamilyHandle(std::exchange(handle, nullptr));
    }
    db->Close();
    db.reset();
  }

  Result<void> open() {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database_options(), directory, families(), &handles, &opened);
    if (!status.ok()) return error(status);
    db.reset(opened);
    std::copy(handles.begin(), handles.end(), family.begin());
    return read_meta();
  }

  Result<std::optional<std::string>> meta(std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db->Get({}, family[kMeta], slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return error(status);
    return std::optional<std::string>(std::move(value));
  }

  Result<std::int64_t> meta_number(std::string_view key) const {
    Result<std::optional<std::string>> value = meta(key);
    if (!value.ok()) return std::move(value).error();
    const auto number = value->has_value() ? records::parse_number(**value) : std::nullopt;
    if (!number) return corrupt("meta record '" + std::string(key) + "' is missing or malformed");
    return *number;
  }

  Result<void> read_meta() {
    Result<std::optional<std::string>> cluster = meta(records::kMetaCluster);
    if (!cluster.ok()) return std::move(cluster).error();
    if (!cluster->has_value()) return create_meta();
    cluster_id = **cluster;
    const Result<std::int64_t> format = meta_number(records::kMetaFormat);
    if (!format.ok()) return format.error();
    if (*format != records::kStoreFormat) {
      return corrupt("format " + std::to_string(*format) + ", this program reads " +
                     std::to_string(records::kStoreFormat));
    }
    const Result<std::int64_t> stored_revision = meta_number(records::kMetaRevision);
    if (!stored_revision.ok()) return stored_revision.error();
    const Result<std::int64_t> stored_floor = meta_number(records::kMetaFloor);
    if (!stored_floor.ok()) return stored_floor.error();
    revision = *stored_revision;
    floor = *stored_floor;
    return check_log_end();
  }

  Result<void> create_meta() {
    SystemRandom random;
    cluster_id = random.hex_id();
    rocksdb::WriteBatch batch;
    batch.Put(family[kMeta], slice(records::kMetaFormat), records::number_value(records::kStoreFormat));
    batch.Put(family[kMeta], slice(records::kMetaCluster), cluster_id);
    batch.Put(family[kMeta], slice(records::kMetaRevision), records::number_value(0));
    batch.Put(family[kMeta], slice(records::kMetaFloor), records::number_value(1));
    return commit(batch);
  }

  // A log that ends elsewhere than meta says means that a file is missing or was put back from elsewhere.
  Result<void> check_log_end() const {
    const std::unique_ptr<rocksdb::Iterator> place(db->NewIterator({}, family[kLog]));
    place->SeekToLast();
    if (!place->status().ok()) return error(place->status());
    const Revision last_kept = place->Valid() ? records::log_revision(text(place->key())).value_or(-1) : 0;
    const bool log_is_dropped = !place->Valid() && floor == revision + 1;
    if (last_kept == revision || log_is_dropped) return {};
    return corrupt("the log ends at revision " + std::to_string(last_kept) + ", the store at " +
                   std::to_string(revision));
  }

  Result<void> commit(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status status = db->Write(options, &batch);
    if (!status.ok()) return error(status);
    return {};
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& directory) {
  auto state = std::make_unique<State>();
  state->directory = directory;
  Result<UniqueFd> lock = lock_directory(directory);
  if (!lock.ok()) return std::move(lock).error();
  state->lock = std::move(lock).value();
  REELWAY_TRY(state->open());
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

const std::string& Database::cluster_id() const {
  return state_->cluster_id;
}
Revision Database::revision() const {
  return state_->revision;
}
Revision Database::floor() const {
  return state_->floor;
}

Result<std::optional<KeyValue>> Database::get(std::string_view key) const {
  const std::shared_lock hold(state_->handle_mutex);
  if (!state_->db) return Error{ErrorCode::store_unavailable, Side::disk, true, "the control store is being recovered"};
  std::string value;
  const rocksdb::Status status = state_->db->Get({}, state_->family[kKv], slice(key), &value);
  if (status.IsNotFound()) return std::optional<KeyValue>();
  if (!status.ok()) return state_->error(status);
  Result<KeyValue> entry = records::parse_kv(key, value);
  if (!entry.ok()) return std::move(entry).error();
  return std::optional<KeyValue>(std::move(entry).value());
}

namespace {

// Holds a RocksDB snapshot for the length of one read.
class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) { options_.snapshot = snapshot_; }
  ~Snapshot() { db_.ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  const rocksdb::ReadOptions& options() const { return options_; }

  Result<std::int64_t> number(rocksdb::ColumnFamilyHandle* family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db_.Get(options_, family, slice(key), &value);
    const auto number = status.ok() ? records::parse_number(value) : std::nullopt;
    if (number) return *number;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, "control store, meta record " + std::string(key)};
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
};

}  // namespace

Result<Page> Database::range(std::string_view prefix, std::size_t limit, std::string_view after_key) const {
  const std::shared_lock hold(state_->handle_mutex);
  if (!state_->db) return Error{ErrorCode::store_unavailable, Side::disk, true, "the control store is being recovered"};
  const Snapshot snapshot(*state_->db);
  const Result<std::int64_t> revision = snapshot.number(state_->family[kMeta], records::kMetaRevision);
  if (!revision.ok()) return revision.error();
  Page page;
  page.revision = *revision;
  const std::unique_ptr<rocksdb::Iterator> place(state_->db->NewIterator(snapshot.options(), state_->family[kKv]));
  place->Seek(slice(std::max(prefix, after_key)));
  if (place->Valid() && !after_key.empty() && text(place->key()) == after_key) place->Next();
  for (; place->Valid() && text(place->key()).starts_with(prefix); place->Next()) {
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    Result<KeyValue> entry = records::parse_kv(text(place->key()), text(place->value()));
    if (!entry.ok()) return std::move(entry).error();
    page.entries.push_back(std::move(entry).value());
  }
  if (!place->status().ok()) return state_->error(place->status());
  return page;
}

Result<LogSlice> Database::read_log(Revision from, std::size_t revisions_max, std::size_t bytes_max) const {
  const std::shared_lock hold(state_->handle_mutex);
  if (!state_->db) return Error{ErrorCode::store_unavailable, Side::disk, true, "the control store is being recovered"};
  const Snapshot snapshot(*state_->db);
  const Result<std::int64_t> floor = snapshot.number(state_->family[kMeta], records::kMetaFloor);
  if (!floor.ok()) return floor.error();
  LogSlice log;
  log.floor = *floor;
  log.next = from;
  if (from < log.floor) return log;
  const std::unique_ptr<rocksdb::Iterator> place(state_->db->NewIterator(snapshot.options(), state_->family[kLog]));
  std::size_t bytes = 0;
  for (place->Seek(records::log_key(from, 0)); place->Valid(); place->Next()) {
    const Revision revision = records::log_revision(text(place->key())).value_or(0);
    if (revision >= log.next) {
      if (log.batches.size() == revisions_max || bytes >= bytes_max) break;
      log.batches.push_back({revision, {}});
      log.next = revision + 1;
    }
    Result<WatchBatch::Event> event = records::parse_log(text(place->key()), text(place->value()));
    if (!event.ok()) return std::move(event).error();
    bytes += place->value().size();
    log.batches.back().events.push_back(std::move(event).value());
  }
  if (!place->status().ok()) return state_->error(place->status());
  return log;
}

std::uint64_t Database::size_bytes() const {
  const std::shared_lock hold(state_->handle_mutex);
  std::uint64_t tables = 0, memory = 0;
  if (!state_->db) return 0;
  state_->db->GetAggregatedIntProperty("rocksdb.total-sst-files-size", &tables);
  state_->db->GetAggregatedIntProperty("rocksdb.cur-size-all-mem-tables", &memory);
  return tables + memory;
}

std::uint64_t Database::free_bytes() const {
  struct statvfs info {};
  if (::statvfs(state_->directory.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<void> Database::write(const GroupChange& change) {
  const std::shared_lock hold(state_->handle_mutex);
  rocksdb::WriteBatch batch;
  for (const auto& [key, entry] : change.entries) {
    if (entry)
      batch.Put(state_->family[kKv], slice(key), records::kv_value(*entry));
    else
      batch.Delete(state_->family[kKv], slice(key));
  }
  for (const WatchBatch& done : change.log) {
    std::uint32_t position = 0;
    for (const WatchBatch::Event& event : done.events) {
      batch.Put(state_->family[kLog], records::log_key(done.revision, position++), records::log_value(event));
    }
  }
  batch.Put(state_->family[kMeta], slice(records::kMetaRevision), records::number_value(change.revision));
  REELWAY_TRY(state_->commit(batch));
  state_->revision = change.revision;
  return {};
}

Result<void> Database::drop_log(Revision floor) {
  const std::shared_lock hold(state_->handle_mutex);
  rocksdb::WriteBatch batch;
  batch.DeleteRange(state_->family[kLog], records::log_key(0, 0), records::log_key(floor, 0));
  batch.Put(state_->family[kMeta], slice(records::kMetaFloor), records::number_value(floor));
  REELWAY_TRY(state_->commit(batch));
  state_->floor = floor;
  return {};
}

Result<void> Database::reopen() {
  const std::unique_lock alone(state_->handle_mutex);
  state_->close();
  Result<void> opened = state_->open();
  if (!opened.ok()) state_->close();
  return opened;
}

}  // namespace reelway::origin
