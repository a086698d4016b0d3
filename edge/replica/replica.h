#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "edge/net/upstream.h"
#include "edge/replica/replica_client.h"
#include "edge/replica/replica_copy.h"
#include "edge/replica/replica_writer.h"
#include "edge/replica/rights.h"
#include "edge/replica/trusted_clock.h"

namespace reelway::edge {

struct ReplicaOptions {
  std::string directory;  // "<store.directory>/replica"
  ReplicaClientOptions client;
  RightsOptions rights;
};

// What an operator sees of the replica.
struct ReplicaState {
  std::string_view phase;  // "stopped", "waiting" (to connect again), "snapshot", "connecting", "following"
  std::string cluster;     // empty: never heard of one
  std::uint32_t shard = 0;
  rights::Revision revision = 0;  // the position in the change stream
  std::uint64_t records = 0;
  std::string root;                                       // 32 hex digits, of the records at `revision`
  std::optional<std::chrono::milliseconds> staleness;     // empty: no copy of the rentals at all, nothing is served
  bool stale_alarm = false;                               // staleness over RentalLimits::alarm
  std::optional<std::chrono::milliseconds> clock_offset;  // local clock - origin's; empty before the first beats
  ReplicaCounters client;
  ReplicaWriterCounters writer;
  RightsCounters rights;
};

// The edge's own copy of who may play what: follows the origin's change stream, keeps it in memory for requests and
// on disk for the next start, and decides by it. One ring thread; RocksDB runs on a thread of its own.
class Replica {
 public:
  // Reads the durable form; blocks. A form that cannot be trusted is set aside and counted, and the replica starts
  // empty. Errors: disk_full, io_failed. `clock` and `random` outlive it.
  static Result<std::unique_ptr<Replica>> open(ring::Ring& ring, const Clock& clock, Random& random,
                                               ReplicaOptions options);
  ~Replica();

  // Begins to follow the origin. The pool serves the change stream, snapshots, repairs and questions: give it its own
  // of 8 connections, with first_byte and idle timeouts of about 5 s. `request_head` makes the whole head of a request
  // to the origin, with this edge's credential and without a body.
  // The upstream must be closed (UpstreamGroup::close()) before the replica is destroyed: calls end by that.
  void start(Upstream& upstream, RequestHead request_head);
  // Lets go of the stream, writes what is not yet on disk, then calls `done`, never from inside this. decide() goes on
  // to work from memory.
  void stop(std::function<void()> done);

  Rights& rights() { return rights_; }
  const ReplicaCopy& copy() const { return copy_; }
  void observe(ReplicaObserver& observer) { copy_.observer = &observer; }
  // The origin's time, for all that is compared with what an origin wrote: tokens, rentals. Valid from open() on.
  const Clock& clock() const { return trusted_clock_; }
  // Whether there is a copy that rentals are still decided by.
  bool ready() const {
    const auto staleness = copy_.staleness(clock_.monotonic());
    return staleness && *staleness <= options_.rights.limits.stale_max;
  }
  ReplicaState state() const;
  // "revision=120; records=7; root=<32 hex>; staleness_ms=300; repairs=0; snapshots=1": this replica's part of the
  // request header Reelway-Edge-State. Revision, records and root are as of the last beat; what is not known is left
  // out.
  std::string edge_state_header_parts() const;

 private:
  Replica(ring::Ring& ring, const Clock& clock, Random& random, ReplicaOptions options,
          std::unique_ptr<ReplicaStore> store, LoadedReplica loaded);

  const Clock& clock_;
  const ReplicaOptions options_;
  const bool was_set_aside_;
  ReplicaCopy copy_;
  TrustedClock trusted_clock_;
  std::unique_ptr<ReplicaStore> store_;
  ReplicaWriter writer_;
  ReplicaClient client_;
  Rights rights_;
  ring::SideWorkers workers_;  // last, so that its thread ends before what its jobs' ends refer to
};

}  // namespace reelway::edge
