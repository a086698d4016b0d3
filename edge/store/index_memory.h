#pragma once

#include <cstdint>
#include <memory>

namespace rocksdb {
class Cache;
class WriteBufferManager;
}  // namespace rocksdb

namespace reelway::edge {

// The memory that the record indexes of one store share, however many disks it has: within one budget lie the blocks
// that were read (those of table indexes too) and what was written and is not yet flushed to a table. When the latter
// takes more than its share, the index that is written to is flushed early. Copies share. Thread-safe.
struct IndexMemory {
  static constexpr std::uint64_t kUsualBytes = 64 << 20;

  explicit IndexMemory(std::uint64_t bytes = kUsualBytes);

  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;  // counted in the cache
};

}  // namespace reelway::edge
