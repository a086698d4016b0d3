#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "edge/store/disk_faults.h"
#include "edge/store/disk_index.h"
#include "edge/store/index_memory.h"
#include "edge/store/object.h"
#include "edge/store/purge_rules.h"
#include "edge/store/store.h"

namespace reelway::edge {

class MemoryTier;
struct Recovered;

struct DiskTierOptions {
  std::string directory;
  std::uint64_t budget_bytes = 0;
  std::uint64_t queue_bytes_max = 0;  // bodies in memory that wait for their write or are being written
  DiskFaults* faults = nullptr;
  IndexMemory index_memory;  // shared with the other disks
};

// Complete objects on disk: records in RocksDB, bodies in slab files (docs/formats/edge_store.md).
class DiskTier {
 public:
  // Of `purges` what was stored of them is restored; objects that are loaded are judged by them.
  static Result<std::unique_ptr<DiskTier>> open(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                PurgeRules& purges, const DiskTierOptions& options);
  ~DiskTier();

  // The set of disks (Disks) that this one has last been in.
  struct Membership {
    std::uint64_t generation = 0;
    std::string members;  // the directories of all
  };
  const Membership& membership() const;
  void set_membership(Membership membership);
  // Before load_index(): drops what is on it.
  void start_empty();
  void load_index();
  // False once it has been given up: nothing is on it then, and nothing is written.
  bool is_in_service() const;
  void when_given_up(std::function<void()> given_up);
  std::uint64_t budget_bytes() const;

  // Stores a complete object, or sheds it when the queue is full.
  void write(const std::shared_ptr<Object>& object);

  // Reads the body into an object that has no head yet. Each piece is shown to the readers after its own check. Then
  // `done(true)`, with the object still filling but all of it there; or `done(false)`, with the object untouched or,
  // when a later piece was bad, with a head and the verified beginning. Never called inside this call.
  void load(std::shared_ptr<Object> object, std::function<void(bool)> done);

  // New metadata for the body that is stored, or on its way to be; see Store::freshen().
  void freshen(std::string_view key, ObjectMeta meta);

  bool has(std::string_view key) const;
  // While the index is being loaded: as far as is known.
  bool may_have(std::string_view key) const;
  bool is_loading() const;
  void when_loaded(std::function<void()> loaded);
  void touch(std::string_view key);
  void erase(std::string_view key);
  // Of what is stored, but not of a write that is under way.
  void remove(std::string_view key);
  void mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch);

  // Makes the purge outlive this process; `done(false)` when it could not be written.
  void keep_purge(const PurgeRule& rule, std::function<void(bool kept)> done);
  void forget_purge(const PurgeRule& rule);
  // The next step of a walk over what is stored; false when it was the last.
  using Cursor = DiskIndex::Cursor;
  bool visit_some(Cursor& cursor, std::size_t buckets,
                  const std::function<void(std::string_view key, const PurgeMarks& marks)>& visit);
  void probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done);
  void add_counters(StoreCounters& counters) const;
  DiskReport report() const;
  void close(std::function<void()> closed);

 private:
  struct State;
  static Result<std::unique_ptr<DiskTier>> open_or_start_empty(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                               PurgeRules& purges, const DiskTierOptions& options);
  static Result<std::unique_ptr<State>> open_state(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                   PurgeRules& purges, const DiskTierOptions& options);
  explicit DiskTier(std::unique_ptr<State> state);
  void index_loaded(Result<Recovered> loaded);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::edge
