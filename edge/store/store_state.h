#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "edge/store/disks.h"
#include "edge/store/memory_tier.h"
#include "edge/store/purge_rules.h"
#include "edge/store/purger.h"
#include "edge/store/store.h"

namespace reelway::edge {

// What the Store and its FillPermits share.
struct Store::State {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };

  State(ring::Ring& the_ring, const Clock& the_clock, const StoreOptions& the_options);

  struct Filling {
    std::shared_ptr<Object> object;
    bool is_loading = false;  // its permit is with the disk tier
  };
  using Fillings = std::unordered_map<std::string, Filling, Hash, std::equal_to<>>;

  // Whether lookups of the key still lead to this fill: not after an erase().
  bool is_current(const Object& object) const;
  void end_fill(const Object& object);
  void set_loading(const Object& object, bool is_loading);
  FillPermit make_permit(Store& store, std::string_view key, Fillings& among);
  // Fills under way that a purge concerns, or may: they go on for those who read them, but are found no more, nor kept.
  void leave_purged_fills(const PurgeRule& rule);
  std::uint64_t kept_bytes_max() const { return std::min(options.object_bytes_max, memory.budget_bytes() / 2); }

  ring::Ring& ring;
  StoreOptions options;
  StoreCounters counters;  // those that the tiers do not keep themselves
  const Clock& clock;
  MemoryTier memory;
  PurgeRules purges;
  Fillings fills;               // of keys that nothing was stored for
  Fillings updates;             // that will replace what is stored
  std::size_t permits = 0;      // living, with or without a place in these; at most fills_max
  std::unique_ptr<Disks> disk;  // null without a directory
  std::unique_ptr<Purger> purger;
};

}  // namespace reelway::edge
