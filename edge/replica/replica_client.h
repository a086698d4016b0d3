#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/random.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/replica/bucket_repair.h"
#include "edge/replica/frame_call.h"
#include "edge/replica/records_answer.h"
#include "edge/replica/replica_copy.h"
#include "edge/replica/replica_writer.h"
#include "edge/replica/trusted_clock.h"

namespace reelway::edge {

struct ReplicaClientOptions {
  std::uint32_t shard = 0;
  std::chrono::milliseconds silence_max{5'000};  // without a frame; beats come each second
  std::chrono::milliseconds backoff_min{100};
  std::chrono::milliseconds backoff_max{5'000};
  std::size_t repair_buckets_max = 64;  // when more differ, a snapshot costs less
  std::size_t repairs_max = 3;          // in a row that did not help, before a snapshot
  // Between snapshots that only a differing digest asks for, from the beginning of one, or from its end when it failed:
  // a fault that no snapshot heals must not wear out the origin, and the stream goes on between them.
  std::chrono::milliseconds healing_snapshot_interval{60'000};
  std::uint64_t records_max = 20'000'000;  // of a snapshot: about 1.8 GB
};

struct ReplicaCounters {
  std::uint64_t frames = 0;
  std::uint64_t changes = 0;          // records put or erased by events
  std::uint64_t changes_skipped = 0;  // were here already, as after a snapshot
  std::uint64_t beats = 0;
  std::uint64_t beats_matched = 0;  // the origin's digest was ours
  std::uint64_t mismatches = 0;     // it was not
  std::uint64_t repairs = 0;        // repairs by bucket that were carried through
  std::uint64_t repaired_buckets = 0;
  std::uint64_t repairs_failed = 0;  // ended in an error
  std::uint64_t snapshots = 0;       // taken whole
  std::uint64_t reconnects = 0;      // of which are, by cause:
  std::uint64_t gaps = 0;            //   a frame did not follow on our position
  std::uint64_t malformed = 0;       //   a frame was damaged
  std::uint64_t silences = 0;        //   no frame for silence_max
  std::uint64_t gone = 0;            // the origin no longer had our position
  std::uint64_t moved = 0;           // the origin is of another cluster, or went back
};

// What the table summed up to at the last beat: comparable with the origin's digest at that revision.
struct BeatReport {
  rights::Revision revision = 0;
  std::uint64_t records = 0;
  rights::Sum128 root;
};

// Follows the origin's change stream and keeps the copy at its state. One ring thread. The phases:
//
//   waiting     after a failure: 100 ms, doubled with each up to 5 s, with jitter
//   snapshot    a new table is being filled; the old one serves until it is whole. When one fails that a differing
//               digest asked for, the stream goes on from our position; any other is begun anew
//   connecting  the stream from our position is asked for
//   following   HELLO has come: EVENTS are applied, each BEAT's digest is compared; a repair may run beside
//
// docs/formats/replica_stream.md
class ReplicaClient {
 public:
  enum class Phase : std::uint8_t { stopped, waiting, snapshot, connecting, following };

  ReplicaClient(ring::Ring& ring, const Clock& clock, Random& random, ReplicaCopy& copy, TrustedClock& trusted_clock,
                ReplicaWriter& writer, ReplicaClientOptions options);
  ~ReplicaClient();

  void start(Upstream& upstream, RequestHead request_head);
  void stop();

  Phase phase() const { return phase_; }
  const std::optional<BeatReport>& last_beat() const { return last_beat_; }
  const ReplicaCounters& counters() const { return counters_; }

 private:
  struct Snapshot;
  using Handled = std::optional<Error>;  // why the call must end

  void go_on();
  void begin_snapshot();
  void begin_stream();
  void begin_call(std::string path);
  void expect_frame();
  void end_call();
  void on_frame(const rights::Frame& frame);
  void lost(const Error& error);
  void retry_later();

  Handled take_snapshot_frame(const rights::Frame& frame);
  void finish_snapshot();
  Handled take_stream_frame(const rights::Frame& frame);
  Handled take(const rights::HelloFrame& frame);
  Handled take(const rights::EventsFrame& frame);
  Handled take(const rights::BeatFrame& frame);
  Handled need_snapshot(std::string_view why);
  Handled check_follows(rights::Revision previous);
  void apply(const rights::ReplicaChange& change, rights::Revision revision);
  void compare(const rights::BeatFrame& frame);
  void heal();
  void repair_ended(const Result<BucketRepair::Outcome>& outcome);
  void watch_local_clock();

  ring::Ring& ring_;
  const Clock& clock_;
  Random& random_;
  ReplicaCopy& copy_;
  TrustedClock& trusted_clock_;
  ReplicaWriter& writer_;
  const ReplicaClientOptions options_;
  Upstream* upstream_ = nullptr;
  RequestHead request_head_;

  Phase phase_ = Phase::stopped;
  std::shared_ptr<FrameCall> call_;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<BucketRepair> repair_;
  bool needs_snapshot_ = false;
  bool only_heals_ = false;                           // the snapshot: the position is still good without it
  std::size_t failures_ = 0;                          // since the last beat
  std::size_t vain_repairs_ = 0;                      // in a row
  std::optional<Clock::Monotonic> healing_snapshot_;  // when the last one began, or failed, that a digest asked for
  bool local_clock_is_off_ = false;
  std::optional<BeatReport> last_beat_;
  ring::Timer silence_timer_;
  ring::Timer retry_timer_;
  ReplicaCounters counters_;
};

std::string_view name_of(ReplicaClient::Phase phase);

}  // namespace reelway::edge
