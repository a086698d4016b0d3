#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// What one group of transactions changes, as it is written: in one synced batch.
struct GroupChange {
  std::map<std::string, std::optional<KeyValue>, std::less<>> entries;  // empty: erased
  std::vector<WatchBatch> log;
  Revision revision = 0;  // after the group
};

// A run of the log as of one moment.
struct LogSlice {
  Revision floor = 0;
  Revision next = 0;  // the first revision not in the slice
  std::vector<WatchBatch> batches;
};

// The embedded store's files: a RocksDB of the families kv, log and meta, and the lock that keeps others out.
// Blocking. Reads from any thread; write(), drop_log() and reopen() from one thread.
class Database {
 public:
  // io_failed, stored_data_corrupt, store_unavailable when another process has it open.
  static Result<std::unique_ptr<Database>> open(const std::string& directory);
  ~Database();

  const std::string& cluster_id() const;
  Revision revision() const;  // as last written
  Revision floor() const;

  Result<std::optional<KeyValue>> get(std::string_view key) const;
  Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after_key) const;
  // At most `revisions_max` revisions from `from` on, and little more than `bytes_max` bytes.
  Result<LogSlice> read_log(Revision from, std::size_t revisions_max, std::size_t bytes_max) const;
  std::uint64_t size_bytes() const;
  std::uint64_t free_bytes() const;  // on its file system

  // Returns when the change is on the disk. After an error the change may or may not be there, and only reopen() says.
  Result<void> write(const GroupChange& change);
  Result<void> drop_log(Revision floor);
  // Closes and recovers the files as at start: after a failed write memory and disk may disagree.
  Result<void> reopen();

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
