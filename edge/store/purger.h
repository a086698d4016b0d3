#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "edge/store/disks.h"
#include "edge/store/memory_tier.h"
#include "edge/store/purge_rules.h"

namespace reelway::edge {

// Carries purges out. A purge is in force as a rule at once and until a walk over both tiers has removed, or made
// stale, all that it concerns; the walk goes in short steps between other work. One walk serves all purges that came
// before it began.
class Purger {
 public:
  using Done = std::function<void(Result<PurgeResult>)>;

  // `disk` may be null. Goes on with the purges that are in `purges` already, from before a restart.
  Purger(ring::Ring& ring, const Clock& clock, MemoryTier& memory, Disks* disk, PurgeRules& purges);
  ~Purger();
  Purger(const Purger&) = delete;
  Purger& operator=(const Purger&) = delete;

  // As Store::purge(), but on an error `done` is not called.
  Result<const PurgeRule*> begin(const PurgeRequest& request, Done done);

  // What was found in memory, as the purges in force leave it: itself, a stale one in its place, or null.
  std::shared_ptr<Object> judge(std::shared_ptr<Object> found);

  // Ends those under way with shutting_down; after a restart they go on.
  void close();

 private:
  struct Pending {
    Done done;
    bool is_kept = false;    // on disk, or never to be
    bool is_lost = false;    // no disk could keep it
    bool is_walked = false;  // nothing it concerns is left
  };

  void schedule();
  void step();
  void wait_for_index();
  bool walk_memory();
  bool walk_disk();
  // To an object in memory, and to what is on disk of it.
  void apply(PurgeRule& rule, const std::string& key, const std::shared_ptr<Object>& object);
  void end_walk();
  void finish(std::uint64_t epoch);

  ring::Ring& ring_;
  const Clock& clock_;
  MemoryTier& memory_;
  Disks* disk_;
  PurgeRules& purges_;
  std::unordered_map<std::uint64_t, Pending> pending_;  // by epoch; of each rule in force
  std::shared_ptr<Purger*> self_;                       // null inside once this is gone: for tasks of the ring
  bool is_scheduled_ = false;
  bool is_waiting_ = false;  // for the index
  bool is_closed_ = false;

  bool is_walking_ = false;
  std::uint64_t walk_epoch_ = 0;  // the walk serves rules up to this one
  bool memory_is_walked_ = false;
  MemoryTier::Cursor memory_cursor_;
  Disks::Cursor disk_cursor_;
};

}  // namespace reelway::edge
