#include "edge/store/record_index.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "common/telemetry/log.h"
#include "edge/store/rocksdb_log.h"

// Model: three column families. "default" holds the schema's name and notes; "records" key -> record; "bodies" key ->
// body, for bodies that are not worth a slot. Bodies stand apart so that the scan at a restart reads records alone.
// docs/formats/edge_store.md

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchemaKey = "schema";
constexpr std::string_view kSchema = "reelway-edge-store 1";
constexpr std::size_t kRecords = 1;  // places in families()
constexpr std::size_t kBodies = 2;
constexpr std::size_t kWriteBufferBytes = 8 << 20;  // of one family; of all disks together: IndexMemory
// In steps of this the buffer of a family takes memory, so with many disks none takes much that it does not need.
constexpr std::size_t kWriteBufferStepBytes = 128 << 10;
constexpr std::size_t kLogBytesMax = 64 << 20;

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
rocksdb::Slice slice(ByteView bytes) {
  return slice(as_text(bytes));
}

rocksdb::DBOptions database_options(const IndexMemory& memory) {
  rocksdb::DBOptions options;
  options.write_buffer_manager = memory.write_buffers;
  options.info_log = std::make_shared<RocksDbLog>("edge store");
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.max_total_wal_size = kLogBytesMax;
  options.stats_dump_period_sec = 0;
  return options;
}

// The index of a table is itself read in blocks and kept in the cache, so that what open tables take in memory does not
// grow with the number of objects.
std::vector<rocksdb::ColumnFamilyDescriptor> families(const IndexMemory& memory) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kWriteBufferBytes;
  options.arena_block_size = kWriteBufferStepBytes;
  options.compression = rocksdb::kNoCompression;
  return {{rocksdb::kDefaultColumnFamilyName, options}, {"records", options}, {"bodies", options}};
}

Error index_error(std::string_view doing, const rocksdb::Status& status) {
  ErrorCode code = ErrorCode::io_failed;
  if (status.IsNoSpace()) code = ErrorCode::disk_full;
  if (status.IsCorruption()) code = ErrorCode::stored_data_corrupt;
  return Error{code, Side::disk, false, fmt::format("{}: {}", doing, status.ToString())};
}

// Whether a new, empty database could do what this one cannot. Not so for a lock that another process holds, a full
// disk or missing permissions.
bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() || status.IsPathNotFound() ||
         status.IsNotSupported();
}

}  // namespace

struct RecordIndex::State {
  State(std::string the_directory, IndexMemory the_memory)
      : directory(std::move(the_directory)), memory(std::move(the_memory)) {}
  ~State() { close(); }

  const std::string directory;
  const IndexMemory memory;
  mutable std::shared_mutex reopening;    // held shared by every call, exclusively while the database is reopened
  std::unique_ptr<rocksdb::DB> database;  // null after a reopening that failed, until the next one
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::atomic<bool> has_failed = false;  // the last write

  rocksdb::ColumnFamilyHandle* meta() const { return handles[0]; }
  rocksdb::ColumnFamilyHandle* records() const { return handles[kRecords]; }
  rocksdb::ColumnFamilyHandle* bodies() const { return handles[kBodies]; }

  rocksdb::Status open() {
    std::error_code failed;  // RocksDB reports it
    fs::create_directories(directory, failed);
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(database_options(memory), directory, families(memory), &handles, &opened);
    database.reset(opened);
    return status;
  }

  void close() {
    for (auto* handle : handles) (void)database->DestroyColumnFamilyHandle(handle);
    handles.clear();
    if (database) (void)database->Close();
    database.reset();
  }

  // After a failed write RocksDB takes no more. From a full disk it can go on; after any other error it must be
  // opened anew, which keeps all that was written before.
  rocksdb::Status revive() {
    const std::unique_lock lock(reopening);
    if (database && database->Resume().ok()) return {};
    close();
    return open();
  }

  // The record that the change at `index` meets: of an earlier change in the same batch, or in the database.
  rocksdb::Status record_before(std::span<const Change> changes, std::size_t index, std::string& found) const {
    const std::string& key = changes[index].key;
    for (std::size_t at = index; at-- > 0;) {
      const Change& earlier = changes[at];
      if (earlier.key != key || (earlier.rewrite && !earlier.record)) continue;
      if (!earlier.record) return rocksdb::Status::NotFound();
      found = as_text(*earlier.record);
      return {};
    }
    return database->Get({}, records(), slice(std::string_view(key)), &found);
  }

  // Sets the change's record; leaves it empty when there is nothing to rewrite.
  rocksdb::Status rewrite(std::span<Change> changes, std::size_t index) const {
    Change& change = changes[index];
    change.record.reset();
    std::string before;
    const rocksdb::Status status = record_before(changes, index, before);
    if (!status.ok()) return status.IsNotFound() ? rocksdb::Status() : status;
    auto record = decode_record(change.key, as_bytes(before));
    if (!record || !change.rewrite(*record)) return {};
    change.record = encode_record(*record);
    change.growth_bytes = static_cast<std::int64_t>(change.record->size()) - static_cast<std::int64_t>(before.size());
    return {};
  }

  rocksdb::Status add(const Change& change, rocksdb::WriteBatch& batch) const {
    const rocksdb::Slice key = slice(std::string_view(change.key));
    rocksdb::ColumnFamilyHandle* family = change.is_note ? meta() : records();
    rocksdb::Status status;
    if (change.drop_body) status = batch.Delete(bodies(), key);
    if (change.body && status.ok()) status = batch.Put(bodies(), key, slice(ByteView(*change.body)));
    if (!status.ok()) return status;
    return change.record ? batch.Put(family, key, slice(ByteView(*change.record))) : batch.Delete(family, key);
  }

  rocksdb::Status write(std::span<Change> changes) {
    rocksdb::WriteBatch batch;
    rocksdb::WriteOptions options;
    rocksdb::Status status;
    for (std::size_t i = 0; i < changes.size() && status.ok(); ++i) {
      const Change& change = changes[i];
      if (change.rewrite) status = rewrite(changes, i);
      if (change.rewrite && !change.record) continue;
      if (change.is_note && change.record) options.sync = true;
      if (status.ok()) status = add(change, batch);
    }
    return status.ok() ? database->Write(options, &batch) : status;
  }

  // Whether the database has our schema; a new one is given it.
  Result<bool> adopt_schema() {
    std::string schema;
    rocksdb::Status status = database->Get({}, meta(), slice(kSchemaKey), &schema);
    if (status.ok()) return schema == kSchema;
    if (!status.IsNotFound()) return index_error("reading the schema of the index", status);
    const std::unique_ptr<rocksdb::Iterator> records_in(database->NewIterator({}, records()));
    records_in->SeekToFirst();
    if (records_in->Valid()) return false;
    status = database->Put({}, meta(), slice(kSchemaKey), slice(kSchema));
    if (!status.ok()) return index_error("writing the schema of the index", status);
    return true;
  }

  Result<std::optional<std::string>> get(std::size_t family, std::string_view key) const {
    const std::shared_lock lock(reopening);
    if (!database) return index_error("reading from the index", rocksdb::Status::ShutdownInProgress());
    std::string value;
    const rocksdb::Status status = database->Get({}, handles[family], slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return index_error("reading from the index", status);
    return std::optional<std::string>(std::move(value));
  }
};

Result<void> RecordIndex::set_aside(const std::string& directory) {
  telemetry::log_warn("edge store: set the damaged index aside as {}.damaged; starting empty", directory);
  std::error_code failed;
  const std::string aside = directory + ".damaged";
  fs::remove_all(aside, failed);
  if (!failed) fs::rename(directory, aside, failed);
  if (failed) return system_error("rename", directory, failed.value());
  return {};
}

Result<std::unique_ptr<RecordIndex>> RecordIndex::open(const std::string& directory, IndexMemory memory) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::error_code failed;
    auto state = std::make_unique<State>(directory, memory);
    const rocksdb::Status status = state->open();
    if (!status.ok()) {
      if (!is_damage(status) || attempt > 0) return index_error(directory, status);
      state.reset();
      telemetry::log_warn("edge store: the index is damaged: {}", status.ToString());
      REELWAY_TRY(set_aside(directory));
      continue;
    }
    auto ours = state->adopt_schema();
    if (ours && *ours) return std::unique_ptr<RecordIndex>(new RecordIndex(std::move(state)));
    if (!ours && ours.error().code != ErrorCode::stored_data_corrupt) return std::move(ours).error();
    telemetry::log_warn("edge store: the index {} is of another schema than \"{}\"; removed, starting empty", directory,
                        kSchema);
    state.reset();
    fs::remove_all(directory, failed);
    if (failed) return system_error("remove", directory, failed.value());
  }
  return Error{ErrorCode::io_failed, Side::disk, false, directory + ": a new index cannot be read back"};
}

RecordIndex::RecordIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordIndex::~RecordIndex() = default;

Result<std::optional<std::string>> RecordIndex::record(std::string_view key) const {
  return state_->get(kRecords, key);
}

Result<std::optional<std::string>> RecordIndex::body(std::string_view key) const {
  return state_->get(kBodies, key);
}

Result<void> RecordIndex::for_each(const std::function<bool(std::string_view, ByteView)>& visit) const {
  const std::shared_lock lock(state_->reopening);
  if (!state_->database) return index_error("scanning the index", rocksdb::Status::ShutdownInProgress());
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 1 << 20;
  const std::unique_ptr<rocksdb::Iterator> at(state_->database->NewIterator(options, state_->records()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const std::string_view value(at->value().data(), at->value().size());
    if (!visit(std::string_view(at->key().data(), at->key().size()), as_bytes(value))) return {};
  }
  if (!at->status().ok()) return index_error("scanning the index", at->status());
  return {};
}

Result<std::vector<std::pair<std::string, std::string>>> RecordIndex::notes() const {
  std::vector<std::pair<std::string, std::string>> found;
  const std::unique_ptr<rocksdb::Iterator> at(state_->database->NewIterator({}, state_->meta()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    if (at->key() != slice(kSchemaKey)) found.emplace_back(at->key().ToString(), at->value().ToString());
  }
  if (!at->status().ok()) return index_error("reading the notes of the index", at->status());
  return found;
}

Result<void> RecordIndex::start_anew() {
  const std::unique_lock lock(state_->reopening);
  state_->close();
  REELWAY_TRY(set_aside(state_->directory));
  const rocksdb::Status status = state_->open();
  if (!status.ok()) return index_error(state_->directory, status);
  state_->has_failed = false;
  const auto ours = state_->adopt_schema();
  return ours ? Result<void>() : ours.error();
}

Result<void> RecordIndex::apply(std::span<Change> changes) {
  rocksdb::Status status;
  if (state_->has_failed) status = state_->revive();
  const std::shared_lock lock(state_->reopening);
  if (status.ok()) status = state_->write(changes);
  state_->has_failed = !status.ok();
  if (!status.ok()) return index_error("writing to the index", status);
  return {};
}

}  // namespace reelway::edge
