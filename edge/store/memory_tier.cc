#include "edge/store/memory_tier.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace reelway::edge {
namespace {

// What the policy weighs an object by. One without a body weighs something too, so that their number has a limit.
std::uint64_t weight(const Object& object) {
  CHECK(object.state() == ObjectState::complete);
  return std::max<std::uint64_t>(ChunkPool::capacity_for(object.bytes_present()), ChunkPool::kPageBytes);
}

}  // namespace

MemoryTier::MemoryTier(std::uint64_t budget_bytes, Evicted evicted)
    : evicted_(std::move(evicted)), pool_(ChunkPool::create(budget_bytes)), objects_(budget_bytes) {}

std::shared_ptr<Object> MemoryTier::find_and_touch(std::string_view key) {
  const auto* found = objects_.find_and_touch(key);
  return found == nullptr ? nullptr : *found;
}

std::shared_ptr<Object> MemoryTier::peek(std::string_view key) {
  const auto* found = objects_.find(key);
  return found == nullptr ? nullptr : *found;
}

void MemoryTier::insert(const std::shared_ptr<Object>& object) {
  objects_.remove(object->meta().key);
  objects_.insert(object->meta().key, weight(*object), object);
  // Objects without a body take no chunk, so the pool would never ask them to leave.
  while (objects_.bytes() > pool_->budget_bytes() && evict_one()) {
  }
}

void MemoryTier::replace(const Object& former, const std::shared_ptr<Object>& object) {
  auto* found = objects_.find(object->meta().key);
  if (found != nullptr && found->get() == &former) *found = object;
}

Chunk MemoryTier::allocate(std::size_t bytes) {
  for (;;) {
    Chunk chunk = pool_->allocate(bytes);
    if (chunk) return chunk;
    if (!evict_one()) break;
  }
  ++refused_;
  return {};
}

bool MemoryTier::evict_one() {
  auto victim = objects_.evict(
      [](const std::shared_ptr<Object>& object) { return object.use_count() == 1 && !object->shares_body(); });
  if (!victim) return false;
  ++evictions_;
  if (evicted_) evicted_(victim->key, victim->was_touched);
  return true;
}

}  // namespace reelway::edge
