#include "edge/store/index_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/write_buffer_manager.h>

#include <cstdint>

namespace reelway::edge {
namespace {

// Of the bytes, in eighths: for what is not flushed.
constexpr std::uint64_t kWriteBufferEighths = 3;
// Few, so that each has room for what write buffers reserve, in steps of 256 KiB.
constexpr int kShardBits = 2;

}  // namespace

IndexMemory::IndexMemory(std::uint64_t bytes)
    : cache(rocksdb::NewLRUCache(bytes, kShardBits)),
      write_buffers(std::make_shared<rocksdb::WriteBufferManager>(bytes / 8 * kWriteBufferEighths, cache)) {}

}  // namespace reelway::edge
