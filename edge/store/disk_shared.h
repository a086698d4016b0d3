#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "common/base/clock.h"
#include "common/base/gate.h"
#include "edge/store/disk_faults.h"
#include "edge/store/disk_health.h"
#include "edge/store/disk_index.h"
#include "edge/store/index_loading.h"
#include "edge/store/purge_rules.h"
#include "edge/store/record_journal.h"
#include "edge/store/slab_files.h"

namespace reelway::edge {

// Everything on disk that loads and writes share.
struct DiskShared {
  ring::Ring& ring;
  const Clock& clock;
  SlabFiles& slabs;
  DiskSpace& space;
  DiskIndex& index;
  RecordJournal& journal;
  Gate& gate;
  PurgeRules& purges;
  IndexLoading& loading;
  DiskHealth& health;
  DiskFaults* faults;  // null outside tests
  const std::string& directory;
  std::unordered_set<std::string>& recording;  // keys whose new record is on its way to RocksDB

  int fault(DiskFaults::Operation operation) const {
    return faults == nullptr ? 0 : faults->fault(operation, directory);
  }
  // What an operation came to: 0 or an errno.
  void note_io(DiskHealth::Part part, int error) { error == 0 ? health.succeeded(part) : health.failed(part, error); }

  // Takes the key out of the index and its record out of RocksDB; its slots come free after that. A record that is on
  // its way there takes the place of the one that is to go.
  void remove(std::string_view key);
  // Rewrites the record of what is in the index under this key, if that is still there by then.
  void freshen(std::string_view key, ObjectMeta meta, Gate::Pass pass);
  // The object is stale from `at_ms` on, and purges up to `purge_epoch` have been seen to.
  void mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch);
};

}  // namespace reelway::edge
