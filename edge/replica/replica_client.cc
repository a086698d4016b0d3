#include "edge/replica/replica_client.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "common/telemetry/log.h"

// One call at a time carries the stream or a snapshot. Whatever is wrong with it ends in lost(): the call is let go,
// and after a pause go_on() begins anew from the position that the copy then has. Nothing is applied that does not
// follow on that position, so a break at any byte leaves no hole; and what is applied twice changes nothing.

namespace reelway::edge {
namespace {

Error malformed(std::string detail) {
  return {ErrorCode::replica_malformed, Side::upstream, true, std::move(detail)};
}

// So that an origin that speaks another one can say so.
std::string format_field() {
  return "&format=" + std::to_string(rights::kStreamFormat);
}

// It goes into a URL.
bool is_cluster_name(std::string_view name) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= rights::kClusterBytesMax && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

struct ReplicaClient::Snapshot {
  explicit Snapshot(std::uint64_t records_max)
      : answer([this, records_max](const rights::ReplicaRecord& record) -> Result<void> {
          if (!table->put(record)) return malformed("a record that was there already");
          if (table->size() <= records_max) return {};
          return malformed("more than " + std::to_string(records_max) + " records");
        }) {}

  std::unique_ptr<ReplicaTable> table = std::make_unique<ReplicaTable>();
  RecordsAnswer answer;
};

std::string_view name_of(ReplicaClient::Phase phase) {
  switch (phase) {
    case ReplicaClient::Phase::stopped: return "stopped";
    case ReplicaClient::Phase::waiting: return "waiting";
    case ReplicaClient::Phase::snapshot: return "snapshot";
    case ReplicaClient::Phase::connecting: return "connecting";
    case ReplicaClient::Phase::following: return "following";
  }
  return "unknown";
}

ReplicaClient::ReplicaClient(ring::Ring& ring, const Clock& clock, Random& random, ReplicaCopy& copy,
                             TrustedClock& trusted_clock, ReplicaWriter& writer, ReplicaClientOptions options)
    : ring_(ring),
      clock_(clock),
      random_(random),
      copy_(copy),
      trusted_clock_(trusted_clock),
      writer_(writer),
      options_(options),
      silence_timer_(ring),
      retry_timer_(ring) {}

ReplicaClient::~ReplicaClient() {
  end_call();
}

void ReplicaClient::start(Upstream& upstream, RequestHead request_head) {
  CHECK(phase_ == Phase::stopped);
  upstream_ = &upstream;
  request_head_ = std::move(request_head);
  go_on();
}

void ReplicaClient::stop() {
  end_call();
  repair_.reset();
  retry_timer_.disarm();
  phase_ = Phase::stopped;
}

void ReplicaClient::go_on() {
  needs_snapshot_ || copy_.cluster.empty() ? begin_snapshot() : begin_stream();
}

void ReplicaClient::begin_snapshot() {
  repair_.reset();
  phase_ = Phase::snapshot;
  snapshot_ = std::make_unique<Snapshot>(options_.records_max);
  begin_call("/.reelway/v1/replica/snapshot?shard=" + std::to_string(options_.shard) + format_field());
}

void ReplicaClient::begin_stream() {
  phase_ = Phase::connecting;
  begin_call("/.reelway/v1/replica/stream?shard=" + std::to_string(options_.shard) +
             "&from=" + std::to_string(copy_.position) + "&cluster=" + copy_.cluster + format_field());
}

void ReplicaClient::begin_call(std::string path) {
  end_call();
  expect_frame();
  call_ = FrameCall::begin(
      ring_, *upstream_, request_head_("GET", path), [this](const rights::Frame& frame) { on_frame(frame); },
      [this](const Result<void>& outcome) {
        lost(outcome.ok() ? Error{ErrorCode::upstream_truncated, Side::upstream, true, "the stream has ended"}
                          : outcome.error());
      });
}

void ReplicaClient::expect_frame() {
  silence_timer_.arm(options_.silence_max, [this] {
    ++counters_.silences;
    lost({ErrorCode::timed_out, Side::upstream, true,
          "no frame for " + std::to_string(options_.silence_max.count()) + " ms"});
  });
}

void ReplicaClient::end_call() {
  silence_timer_.disarm();
  if (call_) call_->abandon();
  call_.reset();
}

void ReplicaClient::on_frame(const rights::Frame& frame) {
  ++counters_.frames;
  expect_frame();
  const Handled error = phase_ == Phase::snapshot ? take_snapshot_frame(frame) : take_stream_frame(frame);
  if (error) lost(*error);
}

void ReplicaClient::lost(const Error& error) {
  end_call();
  if (snapshot_) writer_.dispose(std::move(snapshot_->table));
  snapshot_.reset();
  repair_.reset();
  if (std::exchange(only_heals_, false)) {
    needs_snapshot_ = false;
    healing_snapshot_ = clock_.monotonic();
  }
  ++counters_.reconnects;
  if (error.code == ErrorCode::replica_malformed) ++counters_.malformed;
  if (failures_ == 0) telemetry::log_warn("replica: the change stream broke: {}", describe(error));
  retry_later();
}

void ReplicaClient::retry_later() {
  phase_ = Phase::waiting;
  const auto doublings = std::min<std::size_t>(failures_++, 16);
  const auto longest = std::min(options_.backoff_min * (1 << doublings), options_.backoff_max);
  const auto jitter =
      static_cast<std::int64_t>(random_.next_u64() % static_cast<std::uint64_t>(longest.count() / 2 + 1));
  retry_timer_.arm(longest - std::chrono::milliseconds(jitter), [this] { go_on(); });
}

// --- the snapshot

ReplicaClient::Handled ReplicaClient::take_snapshot_frame(const rights::Frame& frame) {
  const auto whole = snapshot_->answer.frame(frame);
  if (!whole.ok()) return whole.error();
  const auto& hello = snapshot_->answer.hello();
  if (!hello) return malformed("a snapshot without HELLO");
  if (!is_cluster_name(hello->cluster) || hello->shard != options_.shard) return malformed("HELLO of another shard");
  if (!*whole) return std::nullopt;
  if (hello->revision > snapshot_->answer.end_revision()) return malformed("END is before HELLO");
  finish_snapshot();
  return std::nullopt;
}

void ReplicaClient::finish_snapshot() {
  const rights::HelloFrame& hello = *snapshot_->answer.hello();
  if (copy_.cluster != hello.cluster || hello.revision < copy_.position) ++copy_.cluster_changes;
  if (!copy_.cluster.empty() && copy_.cluster != hello.cluster) {
    trusted_clock_.forget();
    copy_.beat_time_ms = 0;
  }
  copy_.cluster = hello.cluster;
  copy_.position = hello.revision;
  copy_.comparable_from = snapshot_->answer.end_revision();
  std::swap(copy_.table, snapshot_->table);
  writer_.dispose(std::move(snapshot_->table));
  snapshot_.reset();
  needs_snapshot_ = only_heals_ = false;
  vain_repairs_ = 0;
  ++counters_.snapshots;
  telemetry::log_info("replica: snapshot of {} records at revision {}", copy_.table->size(), copy_.position);
  writer_.replaced();
  if (copy_.observer != nullptr) copy_.observer->rentals_replaced();
  begin_stream();
}

// --- the stream

ReplicaClient::Handled ReplicaClient::take_stream_frame(const rights::Frame& frame) {
  if (std::holds_alternative<rights::GoneFrame>(frame)) {
    ++counters_.gone;
    return need_snapshot("the origin no longer has our position");
  }
  if (std::holds_alternative<rights::MovedFrame>(frame)) {
    ++counters_.moved;
    return need_snapshot("the origin's rights are of another cluster, or went back");
  }
  if (const auto* hello = std::get_if<rights::HelloFrame>(&frame)) return take(*hello);
  if (phase_ != Phase::following) return malformed("the stream does not begin with HELLO");
  if (const auto* events = std::get_if<rights::EventsFrame>(&frame)) return take(*events);
  if (const auto* beat = std::get_if<rights::BeatFrame>(&frame)) return take(*beat);
  return malformed("a frame that belongs to no stream");
}

// At once, unless the last attempt, too, brought no beat.
ReplicaClient::Handled ReplicaClient::need_snapshot(std::string_view why) {
  telemetry::log_warn("replica: {}: taking a snapshot", why);
  needs_snapshot_ = true;
  end_call();
  if (failures_ > 0) {
    retry_later();
  } else {
    ++failures_;
    begin_snapshot();
  }
  return std::nullopt;
}

ReplicaClient::Handled ReplicaClient::take(const rights::HelloFrame& frame) {
  if (phase_ == Phase::following || frame.shard != options_.shard) return malformed("an unexpected HELLO");
  if (frame.cluster != copy_.cluster) {
    ++counters_.moved;
    return need_snapshot("the origin's rights are of another cluster");
  }
  if (const auto gap = check_follows(frame.revision)) return gap;
  phase_ = Phase::following;
  return std::nullopt;
}

ReplicaClient::Handled ReplicaClient::check_follows(rights::Revision previous) {
  if (previous == copy_.position) return std::nullopt;
  ++counters_.gaps;
  return Error{
      ErrorCode::upstream_truncated, Side::upstream, true,
      "a frame follows on revision " + std::to_string(previous) + ", ours is " + std::to_string(copy_.position)};
}

ReplicaClient::Handled ReplicaClient::take(const rights::EventsFrame& frame) {
  if (const auto gap = check_follows(frame.previous)) return gap;
  // Whoever brings changes is worth asking again soon, even when it breaks off before a beat.
  failures_ = std::min<std::size_t>(failures_, 1);
  for (const rights::ReplicaChange& change : frame.changes) apply(change, frame.revision);
  copy_.position = frame.revision;
  writer_.advanced();
  return std::nullopt;
}

void ReplicaClient::apply(const rights::ReplicaChange& change, rights::Revision revision) {
  const bool is_new =
      change.record ? copy_.table->put({change.id, revision, *change.record}) : copy_.table->erase(change.id, revision);
  if (!is_new) {
    ++counters_.changes_skipped;
    return;
  }
  ++counters_.changes;
  writer_.changed(change.id);
  if (copy_.observer != nullptr) copy_.observer->rental_changed(change.id);
}

ReplicaClient::Handled ReplicaClient::take(const rights::BeatFrame& frame) {
  if (const auto gap = check_follows(frame.previous)) return gap;
  copy_.position = frame.revision;
  ++counters_.beats;
  if (std::exchange(failures_, 0) > 0) telemetry::log_info("replica: following again, at revision {}", frame.revision);
  trusted_clock_.beat(frame.origin_time_ms);
  watch_local_clock();
  last_beat_ = {frame.revision, copy_.table->size(), copy_.table->root()};
  compare(frame);
  if (phase_ == Phase::following) writer_.advanced();
  return std::nullopt;
}

void ReplicaClient::compare(const rights::BeatFrame& frame) {
  if (frame.revision < copy_.comparable_from) return;
  if (frame.records == copy_.table->size() && frame.root == copy_.table->root()) {
    ++counters_.beats_matched;
    vain_repairs_ = 0;
    copy_.beat_time_ms = std::max(copy_.beat_time_ms, frame.origin_time_ms);
    // A beat of a backlog is as old as it says, not as new as its arrival.
    const std::int64_t lag_ms = std::max<std::int64_t>(0, trusted_clock_.wall_ms() - frame.origin_time_ms);
    const bool is_first = !copy_.verified;
    copy_.verified = clock_.monotonic() - std::chrono::milliseconds(lag_ms);
    if (is_first && copy_.observer != nullptr) copy_.observer->first_verified();
  } else if (!repair_) {
    ++counters_.mismatches;
    heal();
  }
}

void ReplicaClient::heal() {
  if (vain_repairs_ < options_.repairs_max) {
    telemetry::log_warn("replica: the digest at revision {} is not the origin's; repairing", copy_.position);
    repair_ = std::make_unique<BucketRepair>(ring_, *upstream_, request_head_, copy_, writer_, options_.shard,
                                             options_.repair_buckets_max);
    repair_->begin([this](const Result<BucketRepair::Outcome>& outcome) { repair_ended(outcome); });
    return;
  }
  const Clock::Monotonic now = clock_.monotonic();
  if (healing_snapshot_ && now - *healing_snapshot_ < options_.healing_snapshot_interval) return;
  healing_snapshot_ = now;
  only_heals_ = true;
  (void)need_snapshot("repairs by bucket do not help");
}

// The next beat tells whether it has helped.
void ReplicaClient::repair_ended(const Result<BucketRepair::Outcome>& outcome) {
  ++vain_repairs_;
  if (!outcome.ok()) {
    ++counters_.repairs_failed;
    telemetry::log_warn("replica: the repair failed: {}", describe(outcome.error()));
  } else if (outcome->too_many_differ) {
    vain_repairs_ = options_.repairs_max;
  } else {
    copy_.comparable_from = std::max(copy_.comparable_from, outcome->comparable_from);
    counters_.repaired_buckets += outcome->buckets;
    if (outcome->buckets > 0) ++counters_.repairs;
    writer_.advanced();
  }
  repair_.reset();
}

void ReplicaClient::watch_local_clock() {
  const auto offset = trusted_clock_.local_offset();
  const bool is_off = offset && std::chrono::abs(*offset) > TrustedClock::kOffsetAlarm;
  if (std::exchange(local_clock_is_off_, is_off) == is_off) return;
  if (is_off) {
    telemetry::log_warn("replica: this machine's clock is {} ms {} the origin's; rentals end by the origin's",
                        std::chrono::abs(*offset).count(), offset->count() > 0 ? "ahead of" : "behind");
  } else {
    telemetry::log_info("replica: this machine's clock is the origin's again");
  }
}

}  // namespace reelway::edge
