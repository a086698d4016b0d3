#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/base/result.h"
#include "common/rights/replica_frames.h"
#include "origin/fleet/change_backlog.h"
#include "origin/fleet/rights_table.h"
#include "origin/net/event_loop.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

struct MirrorOptions {
  ChangeBacklog::Limits backlog;
  Revision replay_max = 65'536;                // revisions before the load that are read for the backlog
  std::size_t page_entries = 1'000;            // of a range while loading
  std::chrono::milliseconds retry_after{500};  // after the store failed, or lost the watch
  std::size_t roots_kept = 1'024;              // of beats, to compare with what edges report
};

struct MirrorState {
  bool ready = false;
  std::uint64_t loads = 0;  // what was read in two loads is of two states
  std::string cluster;
  Revision revision = 0;  // everything up to here is in the mirror
  Revision start = 0;     // of the backlog: the oldest position from which a stream can go on
  std::uint64_t records = 0;
  rights::Sum128 root;
  std::size_t backlog_frames = 0;
  std::size_t backlog_bytes = 0;
};

struct MirrorCounters {
  std::uint64_t changes = 0;  // revisions that changed records
  std::uint64_t beats = 0;
  std::uint64_t loads = 0;
  std::uint64_t watches_lost = 0;
  std::uint64_t watches_compacted = 0;
  std::uint64_t store_failures = 0;
  std::uint64_t corrupt_records = 0;  // left out: to edges there is no such entitlement
};

// The origin's copy in memory of what edges copy, kept by one watch of the control store, and the frames that bring an
// edge up to date. Thread-safe.
class RightsMirror {
 public:
  // The part of a stored entitlement that decides. stored_data_corrupt.
  using Decode = std::function<Result<rights::Record>(const KeyValue& entry)>;

  RightsMirror(ControlStore& store, EventLoop& loop, Decode decode, const MirrorOptions& options = {});
  ~RightsMirror();  // on the loop's thread
  RightsMirror(const RightsMirror&) = delete;
  RightsMirror& operator=(const RightsMirror&) = delete;

  // Loads on a thread of its own and goes on following. Ready once a beat has come that was written after the load:
  // from then on revision and root are of the same moment.
  void start();
  void stop();

  MirrorState state() const;
  MirrorCounters counters() const;
  bool ready() const;
  // Nothing: there is none, or the mirror is not ready.
  std::optional<rights::ReplicaRecord> find(const rights::EntitlementId& id) const;
  struct BucketCopy {
    Revision revision = 0;  // as of which the records stand
    RightsTable::Bucket records;
  };
  BucketCopy bucket(std::size_t number) const;
  rights::BucketsFrame buckets() const;
  // The root at a beat's revision, of the last roots_kept beats.
  std::optional<rights::Sum128> root_at(Revision beat_revision) const;

  // What follows a position. `gone`: it lies before the backlog, which begins at `start`.
  struct Next {
    bool gone = false;
    Revision start = 0;
    std::optional<ChangeBacklog::Piece> piece;  // nothing: up to date
  };
  Next next(Revision position, std::size_t bytes) const;

  // `changed` is called on the loop when there may be more to take, or the state was loaded anew, until it is removed.
  // Loop thread only.
  using Subscription = std::uint64_t;
  Subscription subscribe(std::function<void()> changed);
  void unsubscribe(Subscription subscription);
  std::size_t subscribers() const;

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;  // with tasks on the loop, which may come late
  std::thread thread_;
};

}  // namespace reelway::origin
