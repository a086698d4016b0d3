#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "edge/store/page_runs.h"

namespace reelway::edge {

class ChunkPool;

// A run of page-aligned memory, whole pages long; returns to its pool when destroyed. Contents begin undefined.
class Chunk {
 public:
  Chunk() = default;
  Chunk(Chunk&& other) noexcept;
  Chunk& operator=(Chunk&& other) noexcept;
  ~Chunk();

  std::uint8_t* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  explicit operator bool() const { return data_ != nullptr; }

  // True: its bytes may be sent by reference (edge/net/page_pipe.h), and be it that the chunk is gone before they are.
  // From then on nobody may write to it. Never of a full chunk, nor the first kNotLentTimes: giving up the pages of a
  // chunk that was lent costs more than a few copies.
  static constexpr std::uint8_t kNotLentTimes = 8;
  bool lend();

 private:
  friend class ChunkPool;
  void release();

  std::shared_ptr<ChunkPool> pool_;  // an object may outlive the store that made it
  std::uint8_t* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::uint8_t wanted_ = 0;  // how often lend() was asked, up to kNotLentTimes
  bool was_lent_ = false;
};

// All memory for bodies, within one budget that is never exceeded. Counted is the capacity of every living chunk,
// whoever holds it: objects in the memory tier, fills in flight, and objects that left the tier while a send still
// reads them. One thread.
class ChunkPool : public std::enable_shared_from_this<ChunkPool> {
 public:
  static constexpr std::size_t kPageBytes = PageRuns::kPageBytes;
  static constexpr std::size_t kFullBytes = PageRuns::kFrameBytes;

  // The budget is rounded down to whole pages.
  static std::shared_ptr<ChunkPool> create(std::uint64_t budget_bytes);
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // At most kFullBytes. An empty chunk when it would exceed the budget.
  Chunk allocate(std::size_t bytes);
  static std::size_t capacity_for(std::size_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

  std::uint64_t budget_bytes() const { return budget_bytes_; }
  std::uint64_t used_bytes() const { return used_bytes_; }
  // Memory the process holds for the pool: used_bytes() and what is kept for reuse. Never above the budget.
  std::uint64_t backed_bytes() const { return full_backed_bytes_ + short_.backed_bytes(); }

 private:
  friend class Chunk;
  explicit ChunkPool(std::uint64_t budget_bytes);
  std::uint8_t* take_full();
  void release(const Chunk& chunk);
  void keep_within_budget();

  std::uint64_t budget_bytes_;
  std::uint64_t used_bytes_ = 0;
  std::uint8_t* arena_ = nullptr;  // address space for the full chunks; pages come when they are touched
  std::size_t arena_bytes_ = 0;
  std::size_t arena_taken_bytes_ = 0;    // the part from the front that was ever handed out
  std::vector<std::uint8_t*> idle_;      // free, with their pages
  std::vector<std::uint8_t*> unbacked_;  // free, pages given back
  std::uint64_t full_backed_bytes_ = 0;  // full chunks in use and idle_
  PageRuns short_;
};

}  // namespace reelway::edge
