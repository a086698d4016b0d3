#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/base/result.h"
#include "common/rights/replica_frames.h"
#include "common/rights/state_digest.h"
#include "edge/replica/replica_table.h"

namespace reelway::edge {

// Where the replica stood, and what its records then summed up to.
struct StoredPosition {
  std::string cluster;
  std::uint32_t shard = 0;
  rights::Revision position = 0;
  rights::Revision comparable_from = 0;
  std::int64_t beat_time_ms = 0;
  std::uint64_t records = 0;
  rights::Sum128 root;
  bool operator==(const StoredPosition&) const = default;
};

struct StoredChange {
  rights::EntitlementId id{};
  std::optional<ReplicaTable::Entry> entry;  // nothing: erased
};

struct LoadedReplica {
  std::optional<StoredPosition> position;  // nothing: there is no durable form, or none that can be trusted
  std::unique_ptr<ReplicaTable> table = std::make_unique<ReplicaTable>();
  bool set_aside = false;  // there was one that cannot be trusted
};

// The durable form of a replica: records and position in RocksDB, always written together, so that after the death of
// the process it is what the replica was at some position, whole. It is not synced: after a loss of power that
// position is older, and the change stream goes on from there. docs/formats/edge_replica.md
//
// A whole new set of records is written beside the old one, as a generation of its own, and takes its place by one
// write. Every call may touch the disk. One thread at a time.
class ReplicaStore {
 public:
  struct Opened {
    std::unique_ptr<ReplicaStore> store;
    LoadedReplica loaded;
  };

  // Reads everything and sums it up anew. What cannot be trusted (damage, a digest that does not fit, another format
  // or shard) is moved to <directory>.damaged, and an empty one takes its place. Errors: disk_full, io_failed (also
  // when another process has it open).
  static Result<Opened> open(const std::string& directory, std::uint32_t shard);
  ~ReplicaStore();

  // All of it or nothing. stored_data_corrupt when damage stands in the way: it will not go away.
  Result<void> apply(std::span<const StoredChange> changes, const StoredPosition& position);

  Result<void> begin_generation();  // drops what is left of one that was begun before
  Result<void> add(std::span<const rights::ReplicaRecord> records);
  // Applies the last changes to it, and it takes the old one's place.
  Result<void> finish_generation(std::span<const StoredChange> changes, const StoredPosition& position);

  // Sets a damaged database aside and goes on with an empty one.
  Result<void> start_anew();

 private:
  struct State;
  explicit ReplicaStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::edge
