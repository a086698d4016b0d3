#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/cache/s3_fifo.h"
#include "edge/store/disk_space.h"

namespace reelway::edge {

// What is on disk, in memory: key -> place. Bodies in slots and inline bodies have a budget and a queue of eviction
// each, because room made by one kind is of no use to the other. Holds exactly what RocksDB holds a record of, but
// for changes on their way there.
class DiskIndex {
  using Queue = cache::S3Fifo<std::shared_ptr<StoredPlace>>;

 public:
  struct Leaving {
    std::string key;
    std::shared_ptr<StoredPlace> place;
  };

  DiskIndex(std::uint64_t slot_budget_bytes, std::uint64_t inline_budget_bytes)
      : queues_(std::make_unique<Queues>(slot_budget_bytes, inline_budget_bytes)),
        inline_budget_bytes_(inline_budget_bytes) {}

  std::shared_ptr<StoredPlace> find(std::string_view key);
  std::shared_ptr<StoredPlace> find_and_touch(std::string_view key);

  // `bytes`: what it weighs. The key must not be present.
  void insert(std::string_view key, std::uint64_t bytes, std::shared_ptr<StoredPlace> place);
  // After a restart: into an index of its own, on any thread; then adopt(), whose entries must be none.
  void reserve(std::size_t in_slots, std::size_t inline_objects);
  void restore(std::string key, std::uint64_t bytes, std::shared_ptr<StoredPlace> place);
  void adopt(DiskIndex restored);
  std::shared_ptr<StoredPlace> remove(std::string_view key);
  // What it weighs has changed: its record is longer or shorter.
  void resize(std::string_view key, std::int64_t growth_bytes);

  // A walk over all entries in steps; see S3Fifo::visit_some().
  struct Cursor {
    bool in_slots = true;
    Queue::Cursor at;
  };
  bool visit_some(Cursor& cursor, std::size_t buckets,
                  const std::function<void(std::string_view key, const StoredPlace& place)>& visit);

  // RocksDB has lost all records.
  void clear();

  // The next to go that nobody holds; its record must be removed.
  std::optional<Leaving> evict_from_slots() { return evict(queues_->in_slots); }
  std::optional<Leaving> evict_inline() { return evict(queues_->inlined); }

  bool inline_fits(std::uint64_t bytes) const { return queues_->inlined.bytes() + bytes <= inline_budget_bytes_; }
  std::uint64_t inline_budget_bytes() const { return inline_budget_bytes_; }
  std::uint64_t inline_bytes() const { return queues_->inlined.bytes(); }
  std::size_t objects() const { return queues_->in_slots.entries() + queues_->inlined.entries(); }
  std::uint64_t evictions() const { return evictions_; }

 private:
  std::optional<Leaving> evict(Queue& queue);

  struct Queues {
    Queues(std::uint64_t slot_budget_bytes, std::uint64_t inline_budget_bytes)
        : in_slots(slot_budget_bytes), inlined(inline_budget_bytes) {}
    Queue in_slots;
    Queue inlined;
  };
  std::unique_ptr<Queues> queues_;
  std::uint64_t inline_budget_bytes_;
  std::uint64_t evictions_ = 0;
};

}  // namespace reelway::edge
