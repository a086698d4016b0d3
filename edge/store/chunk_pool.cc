#include "edge/store/chunk_pool.h"

#include <sys/mman.h>

#include <cstdlib>
#include <utility>

#include "common/base/check.h"

// Model: full chunks (1 MiB) come from one arena of address space as large as the budget, aligned and advised for
// huge pages; they are reused last in, first out, so their pages stay warm. Shorter chunks (small bodies and the
// ends of large ones) come from the allocator. A free full chunk keeps its pages until a short chunk needs the room:
// then its pages go back to the kernel, so that what is backed never exceeds the budget either.

namespace reelway::edge {
namespace {

constexpr std::size_t kHugePageBytes = 2 * 1024 * 1024;

std::uint8_t* reserve_address_space(std::size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  // Only advice: without huge pages everything works the same.
  if (bytes >= kHugePageBytes) ::madvise(mapped, bytes, MADV_HUGEPAGE);
  return static_cast<std::uint8_t*>(mapped);
}

}  // namespace

Chunk::Chunk(Chunk&& other) noexcept
    : pool_(std::move(other.pool_)),
      data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Chunk& Chunk::operator=(Chunk&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::move(other.pool_);
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

Chunk::~Chunk() {
  release();
}

void Chunk::release() {
  if (data_ == nullptr) return;
  pool_->release(std::exchange(data_, nullptr), std::exchange(capacity_, 0));
  pool_.reset();
}

std::shared_ptr<ChunkPool> ChunkPool::create(std::uint64_t budget_bytes) {
  return std::shared_ptr<ChunkPool>(new ChunkPool(budget_bytes));
}

ChunkPool::ChunkPool(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes / kPageBytes * kPageBytes) {
  arena_bytes_ = budget_bytes_ / kFullBytes * kFullBytes;
  if (arena_bytes_ > 0) arena_ = reserve_address_space(arena_bytes_);
  if (arena_ == nullptr) arena_bytes_ = 0;
}

ChunkPool::~ChunkPool() {
  CHECK(used_bytes_ == 0);
  if (arena_ != nullptr) ::munmap(arena_, arena_bytes_);
}

Chunk ChunkPool::allocate(std::size_t bytes) {
  const std::size_t capacity = capacity_for(bytes);
  CHECK(capacity > 0 && capacity <= kFullBytes);
  Chunk chunk;
  if (used_bytes_ + capacity > budget_bytes_) return chunk;
  if (capacity == kFullBytes) {
    chunk.data_ = take_full();
  } else {
    if (backed_bytes() + capacity > budget_bytes_) unback_idle(backed_bytes() + capacity - budget_bytes_);
    chunk.data_ = static_cast<std::uint8_t*>(std::aligned_alloc(kPageBytes, capacity));
  }
  if (chunk.data_ == nullptr) return chunk;
  chunk.capacity_ = capacity;
  chunk.pool_ = shared_from_this();
  used_bytes_ += capacity;
  return chunk;
}

std::uint8_t* ChunkPool::take_full() {
  for (auto* free_chunks : {&idle_, &unbacked_}) {
    if (free_chunks->empty()) continue;
    std::uint8_t* chunk = free_chunks->back();
    free_chunks->pop_back();
    return chunk;
  }
  if (arena_taken_bytes_ == arena_bytes_) return nullptr;
  std::uint8_t* chunk = arena_ + arena_taken_bytes_;
  arena_taken_bytes_ += kFullBytes;
  return chunk;
}

void ChunkPool::release(std::uint8_t* data, std::size_t capacity) {
  CHECK(used_bytes_ >= capacity);
  used_bytes_ -= capacity;
  if (capacity == kFullBytes) {
    idle_.push_back(data);
  } else {
    std::free(data);
  }
}

void ChunkPool::unback_idle(std::uint64_t wanted_bytes) {
  for (std::uint64_t given_back = 0; given_back < wanted_bytes && !idle_.empty(); given_back += kFullBytes) {
    std::uint8_t* chunk = idle_.back();
    idle_.pop_back();
    ::madvise(chunk, kFullBytes, MADV_DONTNEED);
    unbacked_.push_back(chunk);
  }
}

}  // namespace reelway::edge
