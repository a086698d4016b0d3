#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>

#include "common/base/clock.h"
#include "edge/policy/rental.h"
#include "edge/replica/replica_table.h"

namespace reelway::edge {

// What the origin said of one entitlement.
struct OverlayEntry {
  std::optional<KnownRental> known;  // nothing: there is no such entitlement
  Clock::Monotonic until;            // of "nothing": how long that is believed. A known one has no end in time.
};

// Answers of the origin that the replica does not hold yet. One that is known goes when the replica's position has
// reached its revision, for the replica then holds it, or something newer. At most `entries_max`; the oldest goes.
class RightsOverlay {
 public:
  explicit RightsOverlay(std::size_t entries_max) : entries_max_(entries_max) {}

  // Null when there is none that still counts. Valid until the next put().
  const OverlayEntry* find(const rights::EntitlementId& id, rights::Revision position, Clock::Monotonic now) const;
  void put(const rights::EntitlementId& id, OverlayEntry entry);
  void drop_reached(rights::Revision position, Clock::Monotonic now);  // frees what no longer counts
  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Kept {
    OverlayEntry entry;
    std::uint64_t number;  // of the put()
  };
  struct Put {
    rights::EntitlementId id;
    std::uint64_t number;
  };

  const std::size_t entries_max_;
  std::uint64_t puts_ = 0;
  std::unordered_map<rights::EntitlementId, Kept, EntitlementIdHash> entries_;
  std::deque<Put> order_;  // may tell of entries that are gone or were put anew since
};

}  // namespace reelway::edge
