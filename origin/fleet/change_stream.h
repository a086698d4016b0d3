#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/rights/replica_frames.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/net/stream_body.h"

namespace reelway::origin {

// What edges' replicas asked for and got. Loop thread.
struct ReplicaCounters {
  std::uint64_t streams_open = 0;
  std::uint64_t streams_begun = 0;
  std::uint64_t streams_gone = 0;   // ended by GONE
  std::uint64_t streams_moved = 0;  // ended by MOVED
  std::uint64_t snapshots_begun = 0;
  std::uint64_t snapshots_ended = 0;  // sent whole
  std::uint64_t buckets_sent = 0;     // repairs
  std::uint64_t records_sent = 0;     // in snapshots and repairs
};

// docs/formats/replica_stream.md tells what these send. Mirror and counters outlive them. Loop thread only.

// The changes after a position, for as long as the edge stays: HELLO, then EVENTS and BEAT as they happen, or GONE or
// MOVED and the end.
class ChangeStream final : public StreamBody {
 public:
  struct Position {
    std::string cluster;  // that the edge's revision is of
    rights::Revision revision = 0;
  };
  ChangeStream(RightsMirror& mirror, ReplicaCounters& counters, Position from);

  void begin(std::function<void()> more) override;
  Piece take() override;
  void leave() override;

 private:
  Piece hello();

  RightsMirror& mirror_;
  ReplicaCounters& counters_;
  const Position from_;
  rights::Revision position_;  // to which the frames sent bring the edge
  bool greeted_ = false;
  bool ended_ = false;
  RightsMirror::Subscription subscription_ = 0;
};

// All records, or those of some buckets, as they stand when their turn comes: HELLO, RECORDS, END. What changes
// meanwhile comes by a stream from HELLO's revision.
class RecordsStream final : public StreamBody {
 public:
  struct Buckets {
    std::size_t first = 0;
    std::size_t count = rights::kBuckets;
  };
  RecordsStream(const RightsMirror& mirror, ReplicaCounters& counters, Buckets buckets);

  void begin(std::function<void()> more) override;
  Piece take() override;
  void leave() override {}

 private:
  bool is_snapshot() const { return buckets_.count == rights::kBuckets; }
  void add_records(std::string& text);

  const RightsMirror& mirror_;
  ReplicaCounters& counters_;
  const Buckets buckets_;
  std::size_t next_bucket_;
  std::uint64_t records_ = 0;
  std::uint64_t load_ = 0;         // of the mirror at the start
  rights::Revision revision_ = 0;  // of the last bucket read
  bool greeted_ = false;
  bool ended_ = false;
};

}  // namespace reelway::origin
