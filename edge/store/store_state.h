#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "edge/store/disk_tier.h"
#include "edge/store/memory_tier.h"
#include "edge/store/store.h"

namespace reelway::edge {

// What the Store and its FillPermits share.
struct Store::State {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };

  State(ring::Ring& the_ring, const StoreOptions& the_options);

  // Whether lookups of the key still lead to this fill: not after an erase().
  bool is_current(const Object& object) const;
  void end_fill(const Object& object);
  std::uint64_t kept_bytes_max() const { return std::min(options.object_bytes_max, memory.budget_bytes() / 2); }

  ring::Ring& ring;
  StoreOptions options;
  StoreCounters counters;  // those that the tiers do not keep themselves
  MemoryTier memory;
  std::unordered_map<std::string, std::shared_ptr<Object>, Hash, std::equal_to<>> fills;  // at most fills_max
  std::size_t permits = 0;         // living, with or without a place in `fills`
  std::unique_ptr<DiskTier> disk;  // null without a directory
};

}  // namespace reelway::edge
