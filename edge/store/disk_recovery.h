#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "edge/store/disk_index.h"
#include "edge/store/record_index.h"
#include "edge/store/slab_files.h"

namespace reelway::edge {

struct Recovered {
  std::uint64_t objects = 0;
  std::uint64_t untrue = 0;   // records that are damaged or whose slots are gone: removed
  std::uint64_t surplus = 0;  // records for which a smaller budget has no room: removed
  std::uint64_t next_sequence = 1;
};

// Rebuilds what is kept in memory (which slots are taken, which key is where) by one scan of the records. Blocks; for
// start-up only. Bodies are not read: their sums are checked when they are.
Result<Recovered> recover(RecordIndex& records, const SlabFiles& slabs, DiskSpace& space, DiskIndex& index);

}  // namespace reelway::edge
