#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "edge/replica/replica_copy.h"
#include "edge/replica/replica_store.h"

namespace reelway::edge {

struct ReplicaWriterOptions {
  std::uint32_t shard = 0;
  std::size_t changed_max = 256 * 1024;    // records changed since the last write; one more, and all are written anew
  std::size_t slice_records = 8 * 1024;    // of one write, when all are written anew
  std::size_t gather_records = 16 * 1024;  // changed ones copied in one turn of the ring
  // When the process is to end, a rewriting with more than this left is given up: the old form counts on.
  std::size_t flush_records_max = 1'000'000;
  std::size_t kept_tables_max = 4;  // to be freed when the queue beside the ring has room; above it, freed on the ring
  std::chrono::milliseconds retry_min{1'000};
  std::chrono::milliseconds retry_max{60'000};
};

struct ReplicaWriterCounters {
  std::uint64_t writes = 0;
  std::uint64_t errors = 0;
  std::uint64_t rewrites = 0;   // the whole replica written anew
  std::uint64_t set_aside = 0;  // times the durable form could not be trusted, at the start or later
};

// Brings the replica to disk, beside the ring. One write is under way at a time; what changes meanwhile goes into the
// next one, each record once, as it is by then. A write that fails is repeated later: until then the durable form
// stands at an older position, which is as good. One ring thread.
//
// What changed is one write with the position, however much it is, for they must agree on disk. It is copied a slice in
// one turn of the ring, and what changes between the slices is copied again: the position is that of the last slice.
//
// All records are written anew after a snapshot, slice by slice while the replica goes on changing: whatever changed
// since the first slice is written again with the last write, which makes the new form count.
class ReplicaWriter {
 public:
  // All of them outlive this, and `workers` are destroyed before it.
  ReplicaWriter(ring::Ring& ring, ring::SideWorkers& workers, ReplicaStore& store, const ReplicaCopy& copy,
                ReplicaWriterOptions options, bool was_set_aside);

  void changed(const rights::EntitlementId& id);
  void advanced();                                    // the copy is whole at its position
  void replaced();                                    // so it is, and its table is another one
  void dispose(std::unique_ptr<ReplicaTable> table);  // frees a table beside the ring, for it takes long
  // Writes what there is, then calls `done`, never from inside. Gives up at the first error. No change may follow.
  void flush(std::function<void()> done);

  std::size_t kept_tables() const { return kept_tables_.size(); }
  const ReplicaWriterCounters& counters() const { return counters_; }

 private:
  struct Job;
  using Work = std::function<Result<void>(ReplicaStore& store)>;

  void step();
  void step_rewrite();
  void begin_anew();
  void write_slice();
  void submit(Work work, std::function<void()> written);
  void ended(const Result<void>& outcome, const std::function<void()>& written);
  void fail(const Error& error);
  void finish_flush();
  void free_tables();
  bool nothing_changed() const { return changed_.empty() && repeat_.empty() && gathered_.empty(); }
  void forget_changes();
  bool gather();
  void gather_one(const rights::EntitlementId& id);
  std::shared_ptr<const std::vector<StoredChange>> take_gathered();
  StoredPosition position() const;

  ring::Ring& ring_;
  ring::SideWorkers& workers_;
  ReplicaStore& store_;
  const ReplicaCopy& copy_;
  const ReplicaWriterOptions options_;
  std::unordered_set<rights::EntitlementId, EntitlementIdHash> changed_;
  std::vector<rights::EntitlementId> repeat_;   // were in a write that failed
  std::vector<StoredChange> gathered_;          // for the next write, as they were when they were copied
  std::vector<rights::EntitlementId> writing_;  // are in gathered_, or in the write under way
  bool advanced_ = false;
  bool busy_ = false;
  bool rewrite_wanted_ = false;
  bool rewriting_ = false;
  std::size_t next_bucket_ = 0;  // of the rewriting
  bool damaged_ = false;         // the database must be replaced
  std::chrono::milliseconds retry_after_;
  ring::Timer retry_timer_;
  ring::Timer gather_timer_;
  std::vector<std::unique_ptr<ReplicaTable>> kept_tables_;
  ring::Timer dispose_timer_;
  std::function<void()> flushed_;
  ReplicaWriterCounters counters_;
};

}  // namespace reelway::edge
