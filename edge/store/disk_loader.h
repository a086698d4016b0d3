#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ring/side_workers.h"
#include "edge/store/disk_record.h"
#include "edge/store/disk_shared.h"
#include "edge/store/extent_io.h"
#include "edge/store/memory_tier.h"
#include "edge/store/object.h"
#include "edge/store/record_index.h"

namespace reelway::edge {

// Brings objects from disk into memory. Nothing is shown to readers before its own sum has been checked.
class DiskLoader {
 public:
  DiskLoader(DiskShared shared, RecordIndex& records, MemoryTier& memory);

  // As DiskTier::load().
  void load(std::shared_ptr<Object> object, std::function<void(bool)> done);
  void probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done);

  // The index is there: loads that began without it hold their places from now on.
  void index_loaded();

  std::uint64_t corrupt() const { return corrupt_; }
  std::uint64_t errors() const { return errors_; }

 private:
  // What a worker finds in RocksDB.
  struct Found {
    enum class Kind : std::uint8_t { nothing, record, corrupt, failed };
    Kind kind = Kind::nothing;
    DiskRecord record;
    std::string body;  // when inline
  };
  struct Load {
    std::shared_ptr<Object> object;
    std::function<void(bool)> done;
    Gate::Pass pass;
    std::shared_ptr<StoredPlace> place;  // null while the index is being loaded
    Found found;
    std::vector<bool> is_checked;  // by part
    std::size_t shown = 0;         // parts
    bool is_corrupt = false;
    std::unique_ptr<ExtentIo> io;
    std::list<Load>::iterator self;
  };

  Found find(const std::string& key) const;  // on a worker
  void on_found(Load& load);
  bool is_of_place(const Load& load) const;
  bool is_readable(const Load& load) const;
  bool was_purged(Load& load);
  void show_inline(Load& load);
  void begin_io(Load& load);
  void piece_read(Load& load, std::size_t index);
  void io_ended(Load& load, int error);
  void drop(Load& load, std::string_view reason, std::uint64_t& counter);
  void end(Load& load, bool loaded);

  DiskShared shared_;
  RecordIndex& records_;
  MemoryTier& memory_;
  std::list<Load> loads_;
  std::uint64_t corrupt_ = 0;
  std::uint64_t errors_ = 0;
  ring::SideWorkers workers_;
};

}  // namespace reelway::edge
