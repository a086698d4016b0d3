#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "edge/store/disk_record.h"
#include "edge/store/index_memory.h"

namespace reelway::edge {

// The RocksDB database of records: the store of record of which object lies where. Every call may touch the disk, so
// none is made on the ring's thread but open() before it runs. Thread-safe.
//
// Writes go to the write-ahead log without a sync, but for notes: what was written survives the death of the process.
// After a loss of power the last records may be missing or old; the sums of the bodies tell.
class RecordIndex {
 public:
  // A put (record), a rewrite of the record that is there, or with neither a deletion.
  struct Change {
    std::string key;
    std::optional<Bytes> record;
    std::optional<Bytes> body;  // inline body to put
    bool drop_body = false;     // there may be an inline body to delete
    // Called with the record that this change meets, on the thread of apply(); false leaves it as it is. Not called
    // when there is none.
    std::function<bool(DiskRecord& record)> rewrite = {};
    std::int64_t growth_bytes = 0;  // set by apply(): how much longer the rewritten record became
    // No object but a note of the store's own, kept beside the records; key and record are its name and value.
    bool is_note = false;

    bool is_removal() const { return !record && !rewrite; }
  };

  // Opens or creates. What cannot be used is replaced by an empty database, with a line in the log: one of another
  // schema is removed, a damaged one is kept beside it as <directory>.damaged. Errors: disk_full, io_failed (also
  // when another process has it open).
  static Result<std::unique_ptr<RecordIndex>> open(const std::string& directory, IndexMemory memory = IndexMemory());
  // Renames a damaged database, which must not be open, to <directory>.damaged; a former one of that name goes.
  static Result<void> set_aside(const std::string& directory);
  ~RecordIndex();

  // nullopt when there is none; stored_data_corrupt or io_failed.
  Result<std::optional<std::string>> record(std::string_view key) const;
  Result<std::optional<std::string>> body(std::string_view key) const;
  // All records in the order of their keys, as they are when it begins, until `visit` says false. Changes may be
  // applied meanwhile, but the database is not reopened.
  Result<void> for_each(const std::function<bool(std::string_view key, ByteView record)>& visit) const;
  Result<std::vector<std::pair<std::string, std::string>>> notes() const;  // name and value
  // All of them or none, in their order; with a sync when a note is put. The `record` of a rewrite is set to what was
  // put. stored_data_corrupt when damage in the database stands in the way: it will not go away.
  Result<void> apply(std::span<Change> changes);
  // Sets the database aside and goes on with an empty one.
  Result<void> start_anew();

 private:
  struct State;
  explicit RecordIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::edge
