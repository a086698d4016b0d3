#include "edge/store/disk_index.h"

#include <utility>

#include "common/base/check.h"

namespace reelway::edge {

std::shared_ptr<StoredPlace> DiskIndex::find(std::string_view key) {
  for (Queue* queue : {&queues_->in_slots, &queues_->inlined}) {
    if (const auto* found = queue->find(key)) return *found;
  }
  return nullptr;
}

std::shared_ptr<StoredPlace> DiskIndex::find_and_touch(std::string_view key) {
  for (Queue* queue : {&queues_->in_slots, &queues_->inlined}) {
    if (const auto* found = queue->find_and_touch(key)) return *found;
  }
  return nullptr;
}

void DiskIndex::insert(std::string_view key, std::uint64_t bytes, std::shared_ptr<StoredPlace> place) {
  Queue& queue = place->is_inline() ? queues_->inlined : queues_->in_slots;
  queue.insert(key, bytes, std::move(place));
}

void DiskIndex::reserve(std::size_t in_slots, std::size_t inline_objects) {
  queues_->in_slots.reserve(in_slots);
  queues_->inlined.reserve(inline_objects);
}

void DiskIndex::restore(std::string key, std::uint64_t bytes, std::shared_ptr<StoredPlace> place) {
  Queue& queue = place->is_inline() ? queues_->inlined : queues_->in_slots;
  queue.insert_in_main(std::move(key), bytes, std::move(place));
}

void DiskIndex::adopt(DiskIndex restored) {
  CHECK(objects() == 0);
  queues_ = std::move(restored.queues_);
}

std::shared_ptr<StoredPlace> DiskIndex::remove(std::string_view key) {
  for (Queue* queue : {&queues_->in_slots, &queues_->inlined}) {
    if (auto removed = queue->remove(key)) {
      (*removed)->leaving();
      return std::move(*removed);
    }
  }
  return nullptr;
}

void DiskIndex::resize(std::string_view key, std::int64_t growth_bytes) {
  for (Queue* queue : {&queues_->in_slots, &queues_->inlined}) queue->resize(key, growth_bytes);
}

bool DiskIndex::visit_some(Cursor& cursor, std::size_t buckets,
                           const std::function<void(std::string_view, const StoredPlace&)>& visit) {
  Queue& queue = cursor.in_slots ? queues_->in_slots : queues_->inlined;
  if (queue.visit_some(cursor.at, buckets, [&](std::string_view key, const auto& place) { visit(key, *place); })) {
    return true;
  }
  const bool was_first = cursor.in_slots;
  cursor = {false, {}};
  return was_first;
}

void DiskIndex::clear() {
  queues_->in_slots.clear();
  queues_->inlined.clear();
}

std::optional<DiskIndex::Leaving> DiskIndex::evict(Queue& queue) {
  auto victim = queue.evict([](const std::shared_ptr<StoredPlace>& place) { return place.use_count() == 1; });
  if (!victim) return std::nullopt;
  ++evictions_;
  victim->value->leaving();
  return Leaving{std::move(victim->key), std::move(victim->value)};
}

}  // namespace reelway::edge
