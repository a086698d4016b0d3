#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.h"

// The control store: everything that must survive and be agreed upon (titles, versions, keys, jobs, rights).
// Backends: RocksDB (here), etcd (later); one conformance suite runs against both, so limits are etcd's.

namespace reelway::origin {

using Revision = std::int64_t;  // rises by one with every committed transaction that writes; never reused

inline constexpr std::size_t kTxnOperationsMax = 128;
inline constexpr std::size_t kTxnBytesMax = 1024 * 1024;

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
  std::int64_t version = 0;  // 1 at creation, restarts after a delete
};

// True or false of the state before the transaction. A key that is absent has create_revision, mod_revision and
// version 0 and no value (a value compare against it is false).
struct Compare {
  enum class Field : std::uint8_t { version, create_revision, mod_revision, value };
  enum class Relation : std::uint8_t { equal, not_equal, less, greater };
  std::string key;
  Field field = Field::version;
  Relation relation = Relation::equal;
  std::int64_t number = 0;
  std::string value;

  static Compare absent(std::string key);
  static Compare unchanged(std::string key, Revision mod_revision);
};

struct Operation {
  enum class Kind : std::uint8_t { put, erase, get };
  Kind kind = Kind::put;
  std::string key;
  std::string value;

  static Operation put(std::string key, std::string value);
  static Operation erase(std::string key);
  static Operation get(std::string key);
};

struct Txn {
  std::vector<Compare> compares;  // all must hold
  std::vector<Operation> then_operations;
  std::vector<Operation> else_operations;
};

struct TxnReply {
  bool succeeded = false;                      // whether the compares held
  Revision revision = 0;                       // of the store after the transaction
  std::vector<std::vector<KeyValue>> results;  // one per executed operation; for get: zero or one entry
};

struct Page {
  std::vector<KeyValue> entries;  // ordered by key bytes
  bool more = false;
  Revision revision = 0;  // as of which the page is true
};

// One committed transaction as a watcher sees it; a batch is never split.
struct WatchBatch {
  struct Event {
    bool erased = false;
    KeyValue entry;
  };
  Revision revision = 0;
  std::vector<Event> events;
};
struct WatchCompacted {
  Revision floor = 0;
};  // the asked position is gone: take a range and watch from there
struct WatchLost {
  std::string reason;
};  // the watcher was too slow or the store is closing: watch again
using WatchMessage = std::variant<WatchBatch, WatchCompacted, WatchLost>;

struct StoreStatus {
  std::string cluster_id;
  Revision revision = 0;
  Revision floor = 0;  // the oldest revision from which a watch can begin
  std::uint64_t size_bytes = 0;
};

// Ends its watch when destroyed; no message is delivered after that.
class Watch {
 public:
  virtual ~Watch() = default;
};

// Every call may block on the disk: never call it on an event loop. Thread-safe.
// Errors: store_unavailable (not applied), store_unknown (may have been applied: repeat the same transaction, which
// must be idempotent), store_too_large, disk_full, stored_data_corrupt.
class ControlStore {
 public:
  virtual ~ControlStore() = default;
  virtual Result<TxnReply> txn(const Txn& txn) = 0;
  virtual Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after_key = {}) = 0;
  // Events of revisions >= from, first from the log, then live, with no gap between. `deliver` is called on a thread
  // of the store, in order, one call at a time; it must not block for long (a bounded queue stands behind it).
  virtual std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                                       std::function<void(const WatchMessage&)> deliver) = 0;
  virtual Result<void> compact(Revision floor) = 0;
  virtual Result<StoreStatus> status() = 0;

  // Conveniences over txn() and range().
  Result<std::optional<KeyValue>> get(std::string_view key);
};

// Errors that say nothing of the work itself, so that it is left as it is for the next start: the process ends, or the
// store cannot be asked.
bool is_interruption(const Error& error);

// Opens or creates the embedded store. io_failed, stored_data_corrupt, or store_unavailable when another process has
// it.
Result<std::unique_ptr<ControlStore>> open_rocksdb_store(const std::string& directory);

}  // namespace reelway::origin
