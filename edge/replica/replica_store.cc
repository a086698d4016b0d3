#include "edge/replica/replica_store.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "common/base/crc32c.h"
#include "common/telemetry/log.h"
#include "edge/store/rocksdb_log.h"

// Model: one column family.
//
//   "position"                       the position, its digest and the number of the generation that counts; one value
//   'r', u32 generation, 16 B id     i64 mod_revision, 27 B record (common/rights/entitlement.h)
//
// RocksDB checks its own blocks and log records. A log record that is damaged ends the log there: what is left is an
// older whole state. What that lets through is caught by the sum over all records. docs/formats/edge_replica.md

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPositionKey = "position";
// 1 had no marks of titles, else it was the same: what was stored then is read.
constexpr std::uint16_t kFormat = 2, kOldestFormat = 1;
constexpr char kRecordPrefix = 'r';
constexpr std::size_t kPrefixBytes = 5;
// A change is about 150 bytes, and each second brings one position: a larger buffer would only fill for hours, and look
// like a leak to whoever watches the edge's memory.
constexpr std::size_t kWriteBufferBytes = 2 << 20;
constexpr std::size_t kLogBytesMax = 64 << 20;

// Of what is read at the start; any of these sets the database aside.
Error damaged(std::string detail) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, std::move(detail)};
}

Error store_error(std::string_view doing, const rocksdb::Status& status) {
  ErrorCode code = ErrorCode::io_failed;
  if (status.IsNoSpace()) code = ErrorCode::disk_full;
  if (status.IsCorruption()) code = ErrorCode::stored_data_corrupt;
  return {code, Side::disk, false, fmt::format("{}: {}", doing, status.ToString())};
}

// Whether a new, empty database could do what this one cannot. Not so for a lock that another process holds, a full
// disk or missing permissions.
bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() || status.IsPathNotFound() ||
         status.IsNotSupported();
}

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.info_log = std::make_shared<RocksDbLog>("replica");
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  options.max_total_wal_size = kLogBytesMax;
  options.write_buffer_size = kWriteBufferBytes;
  options.stats_dump_period_sec = 0;
  options.compression = rocksdb::kNoCompression;
  options.paranoid_checks = true;
  return options;
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
rocksdb::Slice slice(const Bytes& bytes) {
  return slice(as_text(bytes));
}
ByteView view(const rocksdb::Slice& text) {
  return as_bytes(std::string_view(text.data(), text.size()));
}

Bytes generation_prefix(std::uint32_t generation) {
  ByteWriter writer;
  writer.u8(static_cast<std::uint8_t>(kRecordPrefix));
  writer.u32(generation);
  return writer.take();
}

// The first key after all records, of whatever generation.
Bytes records_end() {
  return {static_cast<std::uint8_t>(kRecordPrefix + 1)};
}

Bytes record_key(std::uint32_t generation, const rights::EntitlementId& id) {
  Bytes key = generation_prefix(generation);
  key.insert(key.end(), id.begin(), id.end());
  return key;
}

Bytes record_value(const rights::Record& record, rights::Revision mod_revision) {
  ByteWriter writer;
  writer.i64(mod_revision);
  writer.append(rights::encode(record));
  return writer.take();
}

Result<rights::ReplicaRecord> read_record(ByteView key, ByteView value) {
  rights::ReplicaRecord record;
  if (key.size() != kPrefixBytes + record.id.size()) return damaged("a record's key has a wrong length");
  std::copy(key.begin() + kPrefixBytes, key.end(), record.id.begin());
  ByteReader reader{value};
  record.mod_revision = reader.i64();
  const auto content = rights::decode(reader.take(reader.failed() ? 0 : reader.remaining()));
  if (!content || record.mod_revision <= 0) return damaged("a record is not of its form");
  record.record = *content;
  return record;
}

Bytes position_value(const StoredPosition& position, std::uint32_t generation) {
  ByteWriter writer;
  writer.u16(kFormat);
  writer.u32(generation);
  writer.u32(position.shard);
  writer.i64(position.position);
  writer.i64(position.comparable_from);
  writer.i64(position.beat_time_ms);
  writer.u64(position.records);
  writer.u64(position.root.high);
  writer.u64(position.root.low);
  writer.u8(static_cast<std::uint8_t>(position.cluster.size()));
  writer.append(position.cluster);
  writer.u32(crc32c(writer.bytes()));
  return writer.take();
}

struct ReadPosition {
  StoredPosition position;
  std::uint32_t generation = 0;
};

Result<ReadPosition> read_position(ByteView value) {
  ByteReader reader{value};
  const std::uint16_t format = reader.u16();
  if (format < kOldestFormat || format > kFormat) return damaged("another format");
  ReadPosition read;
  StoredPosition& position = read.position;
  read.generation = reader.u32();
  position.shard = reader.u32();
  position.position = reader.i64();
  position.comparable_from = reader.i64();
  position.beat_time_ms = reader.i64();
  position.records = reader.u64();
  position.root.high = reader.u64();
  position.root.low = reader.u64();
  position.cluster = as_text(reader.take(reader.u8()));
  const std::size_t summed = reader.position();
  const std::uint32_t sum = reader.u32();
  if (reader.failed() || !reader.at_end() || sum != crc32c(value.first(summed))) {
    return damaged("the position is damaged");
  }
  return read;
}

Result<void> set_aside(const std::string& directory) {
  const std::string aside = directory + ".damaged";
  std::error_code failed;
  fs::remove_all(aside, failed);
  if (!failed) fs::rename(directory, aside, failed);
  if (failed) return system_error("rename", directory, failed.value());
  return {};
}

}  // namespace

struct ReplicaStore::State {
  explicit State(std::string the_directory) : directory(std::move(the_directory)) {}
  ~State() { close(); }

  const std::string directory;
  std::unique_ptr<rocksdb::DB> database;
  std::uint32_t generation = 1;  // the one that counts
  std::uint32_t loading = 0;     // the one that is being written; 0: none
  bool has_failed = false;       // the last write

  rocksdb::Status open() {
    std::error_code failed;  // RocksDB reports it
    fs::create_directories(directory, failed);
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database_options(), directory, &opened);
    database.reset(opened);
    return status;
  }

  void close() {
    if (database) (void)database->Close();
    database.reset();
  }

  // After a failed write RocksDB takes no more. From a full disk it can go on; after any other error it must be opened
  // anew, which keeps all that was written before.
  rocksdb::Status revive() {
    if (database && database->Resume().ok()) return {};
    close();
    return open();
  }

  Result<void> write(rocksdb::WriteBatch& batch) {
    rocksdb::Status status;
    if (has_failed || !database) status = revive();
    if (status.ok()) status = database->Write({}, &batch);
    has_failed = !status.ok();
    if (has_failed) return store_error("writing to the replica", status);
    return {};
  }

  Result<void> read_all(LoadedReplica& loaded, std::uint32_t shard) {
    std::string value;
    const rocksdb::Status status = database->Get({}, slice(kPositionKey), &value);
    if (status.IsNotFound()) return {};
    if (!status.ok()) return store_error("reading the replica's position", status);
    auto read = read_position(as_bytes(value));
    if (!read.ok()) return std::move(read).error();
    generation = read->generation;
    REELWAY_TRY(read_records(*loaded.table));
    const StoredPosition& position = read->position;
    if (position.shard != shard) return damaged("it is of shard " + std::to_string(position.shard));
    if (position.records != loaded.table->size() || position.root != loaded.table->root()) {
      return damaged("the records are not those of the position: " + std::to_string(loaded.table->size()) + ", not " +
                     std::to_string(position.records) + ", or other ones");
    }
    loaded.position = position;
    return {};
  }

  Result<void> read_records(ReplicaTable& table) const {
    const Bytes begin = generation_prefix(generation);
    const Bytes end = generation_prefix(generation + 1);
    const rocksdb::Slice end_slice = slice(end);
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = 1 << 20;
    options.iterate_upper_bound = &end_slice;
    const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator(options));
    for (at->Seek(slice(begin)); at->Valid(); at->Next()) {
      auto record = read_record(view(at->key()), view(at->value()));
      if (!record.ok()) return std::move(record).error();
      table.put(*record);
    }
    if (!at->status().ok()) return store_error("reading the replica", at->status());
    return {};
  }

  // What a death between begin_generation() and finish_generation() has left. If it cannot be deleted now, then at a
  // later start: it counts for nothing.
  void drop_other_generations(bool keep_current) {
    const Bytes first = generation_prefix(0);
    const Bytes current = generation_prefix(generation);
    const Bytes next = keep_current ? generation_prefix(generation + 1) : current;
    const Bytes end = records_end();
    rocksdb::WriteBatch batch;
    for (const auto& [from, to] : {std::pair(&first, &current), std::pair(&next, &end)}) {
      if (!any_between(*from, *to)) continue;
      if (!batch.DeleteRange(slice(*from), slice(*to)).ok()) return;
    }
    if (batch.Count() == 0) return;
    if (const auto written = write(batch); !written.ok()) {
      telemetry::log_warn("replica: what is left of a former copy was not deleted: {}", written.error().detail);
    }
  }

  bool any_between(const Bytes& from, const Bytes& to) const {
    const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}));
    at->Seek(slice(from));
    return at->Valid() && at->key().compare(slice(to)) < 0;
  }

  Result<void> put_changes(rocksdb::WriteBatch& batch, std::uint32_t of, std::span<const StoredChange> changes,
                           const StoredPosition& position) const {
    rocksdb::Status status;
    for (const StoredChange& change : changes) {
      const Bytes key = record_key(of, change.id);
      if (!change.entry) {
        status = batch.Delete(slice(key));
      } else {
        status = batch.Put(slice(key), slice(record_value(change.entry->record, change.entry->mod_revision)));
      }
      if (!status.ok()) return store_error("writing to the replica", status);
    }
    status = batch.Put(slice(kPositionKey), slice(position_value(position, of)));
    if (!status.ok()) return store_error("writing to the replica", status);
    return {};
  }
};

Result<ReplicaStore::Opened> ReplicaStore::open(const std::string& directory, std::uint32_t shard) {
  bool was_set_aside = false;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto state = std::make_unique<State>(directory);
    const rocksdb::Status status = state->open();
    if (!status.ok() && !is_damage(status)) return store_error(directory, status);
    LoadedReplica loaded;
    loaded.set_aside = was_set_aside;
    Result<void> read = status.ok() ? state->read_all(loaded, shard) : store_error(directory, status);
    if (read.ok()) {
      state->drop_other_generations(loaded.position.has_value());
      return Opened{std::unique_ptr<ReplicaStore>(new ReplicaStore(std::move(state))), std::move(loaded)};
    }
    telemetry::log_warn("replica: {} cannot be trusted: {}; kept as {}.damaged, starting empty", directory,
                        read.error().detail, directory);
    state.reset();
    REELWAY_TRY(set_aside(directory));
    was_set_aside = true;
  }
  return Error{ErrorCode::io_failed, Side::disk, false, directory + ": a new database cannot be read back"};
}

ReplicaStore::ReplicaStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReplicaStore::~ReplicaStore() = default;

Result<void> ReplicaStore::apply(std::span<const StoredChange> changes, const StoredPosition& position) {
  rocksdb::WriteBatch batch;
  REELWAY_TRY(state_->put_changes(batch, state_->generation, changes, position));
  return state_->write(batch);
}

Result<void> ReplicaStore::begin_generation() {
  state_->loading = state_->generation + 1;
  const Bytes begin = generation_prefix(state_->loading);
  const Bytes end = records_end();
  rocksdb::WriteBatch batch;
  const rocksdb::Status status = batch.DeleteRange(slice(begin), slice(end));
  if (!status.ok()) return store_error("writing to the replica", status);
  return state_->write(batch);
}

Result<void> ReplicaStore::add(std::span<const rights::ReplicaRecord> records) {
  rocksdb::WriteBatch batch;
  for (const rights::ReplicaRecord& record : records) {
    const Bytes key = record_key(state_->loading, record.id);
    const rocksdb::Status status = batch.Put(slice(key), slice(record_value(record.record, record.mod_revision)));
    if (!status.ok()) return store_error("writing to the replica", status);
  }
  return state_->write(batch);
}

Result<void> ReplicaStore::finish_generation(std::span<const StoredChange> changes, const StoredPosition& position) {
  const Bytes begin = generation_prefix(0);
  const Bytes end = generation_prefix(state_->loading);
  rocksdb::WriteBatch batch;
  const rocksdb::Status status = batch.DeleteRange(slice(begin), slice(end));
  if (!status.ok()) return store_error("writing to the replica", status);
  REELWAY_TRY(state_->put_changes(batch, state_->loading, changes, position));
  REELWAY_TRY(state_->write(batch));
  state_->generation = std::exchange(state_->loading, 0);
  return {};
}

Result<void> ReplicaStore::start_anew() {
  telemetry::log_warn("replica: {} is damaged; kept as {}.damaged, written anew", state_->directory, state_->directory);
  state_->close();
  REELWAY_TRY(set_aside(state_->directory));
  const rocksdb::Status status = state_->open();
  if (!status.ok()) return store_error(state_->directory, status);
  state_->generation = 1;
  state_->loading = 0;
  state_->has_failed = false;
  return {};
}

}  // namespace reelway::edge
