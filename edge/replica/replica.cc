#include "edge/replica/replica.h"

#include <algorithm>
#include <utility>

namespace reelway::edge {
namespace {

// The store has one job at a time, and a replaced table may wait to be freed.
constexpr std::size_t kSideThreads = 1;
constexpr std::size_t kSideQueueMax = 8;

// When the copy that was on disk was the origin's: by the local wall clock, because the monotonic one does not outlive
// the process. A clock set back makes it seem newer until the first beat, by at most what it was set back: from the
// start on the monotonic clock ages it.
ReplicaCopy copy_of(LoadedReplica loaded, const Clock& clock) {
  ReplicaCopy copy;
  if (!loaded.position) return copy;
  StoredPosition& position = *loaded.position;
  copy.cluster = std::move(position.cluster);
  copy.position = position.position;
  copy.comparable_from = position.comparable_from;
  copy.beat_time_ms = position.beat_time_ms;
  copy.table = std::move(loaded.table);
  if (copy.beat_time_ms > 0) {
    const std::int64_t age_ms = std::max<std::int64_t>(0, clock.wall_ms() - copy.beat_time_ms);
    copy.verified = clock.monotonic() - std::chrono::milliseconds(age_ms);
  }
  return copy;
}

}  // namespace

Result<std::unique_ptr<Replica>> Replica::open(ring::Ring& ring, const Clock& clock, Random& random,
                                               ReplicaOptions options) {
  auto opened = ReplicaStore::open(options.directory, options.client.shard);
  if (!opened.ok()) return std::move(opened).error();
  return std::unique_ptr<Replica>(
      new Replica(ring, clock, random, std::move(options), std::move(opened->store), std::move(opened->loaded)));
}

Replica::Replica(ring::Ring& ring, const Clock& clock, Random& random, ReplicaOptions options,
                 std::unique_ptr<ReplicaStore> store, LoadedReplica loaded)
    : clock_(clock),
      options_(std::move(options)),
      was_set_aside_(loaded.set_aside),
      copy_(copy_of(std::move(loaded), clock)),
      trusted_clock_(clock, copy_.beat_time_ms),
      store_(std::move(store)),
      writer_(ring, workers_, *store_, copy_, {.shard = options_.client.shard}, was_set_aside_),
      client_(ring, clock, random, copy_, trusted_clock_, writer_, options_.client),
      rights_(ring, trusted_clock_, copy_, options_.rights),
      workers_(ring, kSideThreads, kSideQueueMax, "edge-replica") {}

Replica::~Replica() = default;

void Replica::start(Upstream& upstream, RequestHead request_head) {
  rights_.start(upstream, request_head);
  client_.start(upstream, std::move(request_head));
}

void Replica::stop(std::function<void()> done) {
  client_.stop();
  rights_.stop();
  writer_.flush(std::move(done));
}

ReplicaState Replica::state() const {
  ReplicaState state;
  state.phase = name_of(client_.phase());
  state.cluster = copy_.cluster;
  state.shard = options_.client.shard;
  state.revision = copy_.position;
  state.records = copy_.table->size();
  state.root = rights::hex_text(copy_.table->root());
  state.staleness = copy_.staleness(clock_.monotonic());
  state.stale_alarm = !state.staleness || *state.staleness > options_.rights.limits.alarm;
  state.clock_offset = trusted_clock_.local_offset();
  state.client = client_.counters();
  state.writer = writer_.counters();
  state.rights = rights_.counters();
  return state;
}

std::string Replica::edge_state_header_parts() const {
  std::string parts;
  const auto add = [&parts](std::string_view name, const std::string& value) {
    if (!parts.empty()) parts += "; ";
    parts.append(name).append("=").append(value);
  };
  if (const auto& beat = client_.last_beat()) {
    add("revision", std::to_string(beat->revision));
    add("records", std::to_string(beat->records));
    add("root", rights::hex_text(beat->root));
  }
  if (const auto staleness = copy_.staleness(clock_.monotonic())) {
    add("staleness_ms", std::to_string(staleness->count()));
  }
  add("repairs", std::to_string(client_.counters().repairs));
  add("snapshots", std::to_string(client_.counters().snapshots));
  return parts;
}

}  // namespace reelway::edge
