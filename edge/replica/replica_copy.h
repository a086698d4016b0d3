#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "edge/replica/replica_table.h"

namespace reelway::edge {

// Hears of what changes in the table, after it has. It must not change it from there.
class ReplicaObserver {
 public:
  virtual void rental_changed(const rights::EntitlementId& id) = 0;
  virtual void rentals_replaced() = 0;  // nothing known of the former table counts
  virtual void first_verified() = 0;    // from here on there is a copy to decide by

 protected:
  ~ReplicaObserver() = default;
};

// The rights as this edge holds them: what they are, as of which position in which change stream, and when that was
// last seen to be what the origin has. The client writes it, requests read it; one ring thread.
struct ReplicaCopy {
  std::string cluster;                   // empty: there has never been one
  rights::Revision position = 0;         // everything up to here is in the table
  rights::Revision comparable_from = 0;  // the table may hold later changes too, up to here
  std::int64_t beat_time_ms = 0;         // the origin's time of the last beat whose digest was ours; 0: none yet
  std::unique_ptr<ReplicaTable> table = std::make_unique<ReplicaTable>();
  std::uint64_t cluster_changes = 0;         // a revision means nothing across one
  std::optional<Clock::Monotonic> verified;  // when the table was last known to be the origin's
  ReplicaObserver* observer = nullptr;       // null: nobody

  std::optional<std::chrono::milliseconds> staleness(Clock::Monotonic now) const {
    if (!verified) return std::nullopt;
    return std::max(std::chrono::milliseconds(0), std::chrono::floor<std::chrono::milliseconds>(now - *verified));
  }
};

}  // namespace reelway::edge
