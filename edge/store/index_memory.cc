#include "edge/store/index_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/write_buffer_manager.h>

#include <cstddef>

namespace reelway::edge {
namespace {

constexpr std::size_t kIndexBytesMax = 64 << 20;
constexpr std::size_t kWriteBufferBytes = 24 << 20;  // of these
// Few, so that each has room for what write buffers reserve, in steps of 256 KiB.
constexpr int kShardBits = 3;

}  // namespace

IndexMemory::IndexMemory()
    : cache(rocksdb::NewLRUCache(kIndexBytesMax, kShardBits)),
      write_buffers(std::make_shared<rocksdb::WriteBufferManager>(kWriteBufferBytes, cache)) {}

}  // namespace reelway::edge
