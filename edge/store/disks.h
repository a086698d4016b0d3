#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "edge/store/disk_tier.h"
#include "edge/store/store.h"

namespace reelway::edge {

// All disks of the store as one tier. Each has an index and slab files of its own and knows nothing of the others; an
// object is on one of them: on which is decided by its key and the disks' budgets (rendezvous hashing), so that each
// takes the share of its size, and one more or one less moves no more than it must. An object is found on whatever disk
// it is, and what is written to one is removed from the others.
//
// A disk that fails is given up until the next start: its objects are gone, its share goes to the others. As it may
// come back with what was replaced or purged meanwhile, the others note a new *generation* in that moment, as they do
// at a start in another company than before; a disk that is behind the generation of another starts empty.
class Disks {
 public:
  // The first must open; each of the others is left out when it does not, with a line in the log. Errors: as
  // Store::open().
  static Result<std::unique_ptr<Disks>> open(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                             PurgeRules& purges, const std::vector<DiskTierOptions>& options);

  // As of DiskTier.
  void write(const std::shared_ptr<Object>& object);
  void load(std::shared_ptr<Object> object, std::function<void(bool)> done);
  void freshen(std::string_view key, const ObjectMeta& meta);
  bool has(std::string_view key) const;
  bool may_have(std::string_view key) const;
  bool is_loading() const;
  void when_loaded(std::function<void()> loaded);
  void touch(std::string_view key);
  void erase(std::string_view key);
  void remove(std::string_view key);
  void mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch);
  // By all disks in service; `done(false)` when one of them could not, or none is left.
  void keep_purge(const PurgeRule& rule, std::function<void(bool kept)> done);
  void forget_purge(const PurgeRule& rule);
  struct Cursor {
    std::size_t disk = 0;
    DiskTier::Cursor at;
  };
  bool visit_some(Cursor& cursor, std::size_t buckets,
                  const std::function<void(std::string_view key, const PurgeMarks& marks)>& visit);
  void probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done);
  void add_counters(StoreCounters& counters) const;
  std::vector<DiskReport> report() const;
  void close(std::function<void()> closed);

 private:
  struct LoadFrom;

  explicit Disks(const Clock& clock) : clock_(clock) {}
  DiskTier* home_of(std::string_view key) const;
  void agree_on_generation(std::string members);
  void begin_generation();
  void load_next(const std::shared_ptr<LoadFrom>& from);

  const Clock& clock_;
  std::string members_;
  std::vector<std::unique_ptr<DiskTier>> disks_;
  std::vector<DiskReport> left_out_;  // at the start
};

}  // namespace reelway::edge
