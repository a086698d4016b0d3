#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "edge/store/disk_index.h"
#include "edge/store/record_index.h"
#include "edge/store/slab_files.h"

namespace reelway::edge {

// What a start finds on disk, built apart from what the ring works with.
struct Recovered {
  DiskIndex index;
  ExtentAllocator allocator = {};
  std::uint64_t objects = 0;
  std::uint64_t untrue = 0;                 // records that are damaged or whose slots are gone
  std::uint64_t surplus = 0;                // records for which a smaller budget has no room
  std::vector<std::string> to_remove = {};  // the keys of both
  std::uint64_t next_sequence = 1;
  std::uint64_t purge_epoch_max = 0;
};

// Which slots are taken, and which key is where, by one scan of the records. For a thread beside the ring, and while
// nothing else is recorded; what is removed meanwhile may or may not be found. Bodies are not read: their sums are
// checked when they are. The places belong to `space`, which is not touched here: its allocator must be replaced by the
// one that is returned before any of them ends. Errors: those of RecordIndex::for_each(); shutting_down after `stop`.
Result<Recovered> recover(const RecordIndex& records, const SlabFiles& slabs, DiskSpace& space, DiskIndex empty_index,
                          const std::atomic<bool>& stop);

}  // namespace reelway::edge
