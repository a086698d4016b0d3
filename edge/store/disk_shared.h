#pragma once

#include <string_view>

#include "common/base/clock.h"
#include "common/base/gate.h"
#include "edge/store/disk_index.h"
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

  // Takes the key out of the index and its record out of RocksDB; its slots come free after that.
  void remove(std::string_view key);
  // Rewrites the record of what lies at `place`, if it is still there by then.
  void freshen(std::string_view key, const StoredPlace& place, ObjectMeta meta);
};

}  // namespace reelway::edge
