#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "common/cache/s3_fifo.h"
#include "edge/store/chunk_pool.h"
#include "edge/store/object.h"

namespace reelway::edge {

// Complete objects in memory, found by key, within the byte budget of one ChunkPool. Makes room by S3-FIFO for
// whoever needs a chunk. An object that somebody else holds too (a send, a disk write) is not evicted: that would
// free nothing.
class MemoryTier {
 public:
  // Told of each eviction: the key, and whether the object had been asked for again while it was here.
  using Evicted = std::function<void(std::string_view key, bool was_used)>;

  MemoryTier(std::uint64_t budget_bytes, Evicted evicted);

  std::shared_ptr<Object> find_and_touch(std::string_view key);
  std::shared_ptr<Object> peek(std::string_view key);
  // Replaces an object of the same key.
  void insert(const std::shared_ptr<Object>& object);
  // Puts an object that shares its body in its place, if it is still here; its place among those to be evicted stays.
  void replace(const Object& former, const std::shared_ptr<Object>& object);
  void erase(std::string_view key) { objects_.remove(key); }

  // The next step of a walk over all objects; see S3Fifo::visit_some().
  using Cursor = cache::S3Fifo<std::shared_ptr<Object>>::Cursor;
  template <class Visit>
  bool visit_some(Cursor& cursor, std::size_t buckets, Visit visit) {
    return objects_.visit_some(cursor, buckets, visit);
  }

  // Evicts as needed. An empty chunk when what is left is all in use.
  Chunk allocate(std::size_t bytes);

  std::uint64_t budget_bytes() const { return pool_->budget_bytes(); }
  std::uint64_t used_bytes() const { return pool_->used_bytes(); }
  std::size_t objects() const { return objects_.entries(); }
  std::uint64_t evictions() const { return evictions_; }
  std::uint64_t refused() const { return refused_; }

 private:
  bool evict_one();

  Evicted evicted_;
  std::shared_ptr<ChunkPool> pool_;
  cache::S3Fifo<std::shared_ptr<Object>> objects_;
  std::uint64_t evictions_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace reelway::edge
