#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/rights/entitlement.h"
#include "common/rights/state_digest.h"

// What an origin sends to an edge's replica: frames, the same on the stream, in a snapshot and in a repair.
// docs/formats/replica_stream.md tells the protocol. Pure.
//
//   frame = u32 payload length (at most kFramePayloadMax), u8 type, payload, u32 CRC32C of all before it
//
// This is format 2, which HELLO names: format 1 had another HELLO and no marks of titles. An end that speaks another
// format is refused with what to do about it.
//
// Integers are big-endian. A record is 16 B id, i64 revision of its last change, 27 B record (entitlement.h).

namespace reelway::rights {

using Revision = std::int64_t;

inline constexpr std::uint8_t kStreamFormat = 2;
inline constexpr std::size_t kFramePayloadMax = 128 * 1024;
inline constexpr std::size_t kFrameOverhead = 9;
inline constexpr std::size_t kFrameRecordsMax = 1024;
inline constexpr std::size_t kClusterBytesMax = 64;

struct ReplicaRecord {
  EntitlementId id{};
  Revision mod_revision = 0;
  Record record;
  bool operator==(const ReplicaRecord&) const = default;
};

struct ReplicaChange {
  EntitlementId id{};
  std::optional<Record> record;  // nothing: erased
  bool operator==(const ReplicaChange&) const = default;
};

// First frame of every answer: who speaks, of what, and from where on. On a stream `revision` is the position after
// which the changes follow; on a snapshot one from which a stream can follow it.
struct HelloFrame {
  std::string cluster;
  std::uint32_t shard = 0;
  Revision revision = 0;
  bool operator==(const HelloFrame&) const = default;
};

// One revision that changed rights. `previous` is the position that the sender has brought the receiver to before.
struct EventsFrame {
  Revision previous = 0;
  Revision revision = 0;
  std::vector<ReplicaChange> changes;
  bool operator==(const EventsFrame&) const = default;
};

// About each second: nothing but what was sent has happened up to `revision`, and the state then has this sum.
struct BeatFrame {
  Revision previous = 0;
  Revision revision = 0;
  std::int64_t origin_time_ms = 0;
  Revision floor = 0;  // the oldest position from which a stream can go on
  std::uint64_t records = 0;
  Sum128 root;
  bool operator==(const BeatFrame&) const = default;
};

// The asked position is below the floor: take a snapshot. Last frame of its stream.
struct GoneFrame {
  Revision floor = 0;
  bool operator==(const GoneFrame&) const = default;
};

// Another cluster than the asked one, or its revision went back: drop the position, take a snapshot. Last frame.
struct MovedFrame {
  std::string cluster;
  bool operator==(const MovedFrame&) const = default;
};

// Of a snapshot or a bucket; at most kFrameRecordsMax records.
struct RecordsFrame {
  std::vector<ReplicaRecord> records;
  bool operator==(const RecordsFrame&) const = default;
};

// Ends a snapshot or a bucket: how many records there were, and a revision that none of them is above. A digest is
// comparable with the receiver's from that revision on.
struct EndFrame {
  std::uint64_t records = 0;
  Revision revision = 0;
  bool operator==(const EndFrame&) const = default;
};

// The sums of all buckets as of one revision.
struct BucketsFrame {
  Revision revision = 0;
  std::vector<Sum128> sums;  // kBuckets of them
  bool operator==(const BucketsFrame&) const = default;
};

using Frame =
    std::variant<HelloFrame, EventsFrame, BeatFrame, GoneFrame, MovedFrame, RecordsFrame, EndFrame, BucketsFrame>;

std::string encode_frame(const Frame& frame);

// Takes a stream of bytes apart, whatever pieces it comes in. Holds at most one frame.
class FrameReader {
 public:
  // Takes bytes; then next() yields the frames that are whole.
  void feed(ByteView bytes);
  // Nothing: more bytes are needed. replica_malformed: a wrong checksum, length, type, content or format; the reader is
  // then of no further use.
  Result<std::optional<Frame>> next();
  bool between_frames() const { return pending_.size() == taken_; }

 private:
  std::vector<std::uint8_t> pending_;
  std::size_t taken_ = 0;
};

}  // namespace reelway::rights
