#include "edge/admin/metrics.h"

#include <algorithm>
#include <array>

#include "common/base/version.h"
#include "edge/admin/metric_table.h"
#include "edge/net/continued_fetches.h"

namespace reelway::edge {
namespace {

using telemetry::MetricInfo;
using telemetry::MetricPage;

double seconds(Clock::Monotonic::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void add_prefetches(MetricPage& page, const PrefetchCounters& prefetches) {
  const MetricInfo& total = metric("reelway_edge_prefetches_total");
  page.counter(total, prefetches.begun, {{"result", "begun"}});
  page.counter(total, prefetches.used, {{"result", "used"}});
  page.counter(total, prefetches.held_back, {{"result", "held_back"}});
}

void add_rentals(MetricPage& page, EdgeServer& server) {
  const RightsCounters& rights = server.origin().rights().counters();
  const MetricInfo& decisions = metric("reelway_edge_rental_decisions_total");
  page.counter(decisions, rights.allowed - rights.allowed_unseen, {{"result", "allowed"}});
  page.counter(decisions, rights.allowed_unseen, {{"result", "unseen"}});
  page.counter(decisions, rights.denied, {{"result", "denied"}});
  page.counter(decisions, rights.unknown, {{"result", "unknown"}});
  page.counter(decisions, rights.too_stale, {{"result", "too_stale"}});
  const MetricInfo& questions = metric("reelway_edge_rental_questions_total");
  page.counter(questions, rights.asks, {{"result", "sent"}});
  page.counter(questions, rights.asks_failed, {{"result", "failed"}});
  page.counter(questions, rights.asks_shed, {{"result", "shed"}});
  page.counter(questions, rights.asks_late, {{"result", "late"}});
  page.counter(metric("reelway_edge_rental_cuts_total"), server.counters().rental_cuts);
  page.gauge(metric("reelway_edge_rentals_running"), static_cast<double>(server.running().count()));
  const MetricInfo& heartbeats = metric("reelway_edge_heartbeats_total");
  page.counter(heartbeats, server.relay().counters().calls, {{"result", "sent"}});
  page.counter(heartbeats, server.relay().counters().failures, {{"result", "failed"}});
  page.counter(heartbeats, server.relay().counters().refused, {{"result", "refused"}});
}

void add_replica(MetricPage& page, EdgeServer& server) {
  const ReplicaState state = server.replica().state();
  const ReplicaCounters& client = state.client;
  page.gauge(metric("reelway_edge_replica_records"), static_cast<double>(state.records));
  page.gauge(metric("reelway_edge_replica_revision"), static_cast<double>(state.revision));
  if (state.staleness) page.gauge(metric("reelway_edge_replica_staleness_seconds"), seconds(*state.staleness));
  page.gauge(metric("reelway_edge_replica_stale_alarm"), state.stale_alarm ? 1 : 0);
  if (state.clock_offset) page.gauge(metric("reelway_edge_replica_clock_offset_seconds"), seconds(*state.clock_offset));
  page.counter(metric("reelway_edge_replica_changes_total"), client.changes);
  page.counter(metric("reelway_edge_replica_beats_total"), client.beats_matched, {{"digest", "matched"}});
  page.counter(metric("reelway_edge_replica_beats_total"), client.mismatches, {{"digest", "differed"}});
  page.counter(metric("reelway_edge_replica_repairs_total"), client.repairs, {{"result", "ok"}});
  page.counter(metric("reelway_edge_replica_repairs_total"), client.repairs_failed, {{"result", "failed"}});
  page.counter(metric("reelway_edge_replica_snapshots_total"), client.snapshots);
  const MetricInfo& reconnects = metric("reelway_edge_replica_reconnects_total");
  const std::uint64_t known = client.gaps + client.malformed + client.silences;
  page.counter(reconnects, client.gaps, {{"cause", "gap"}});
  page.counter(reconnects, client.malformed, {{"cause", "malformed"}});
  page.counter(reconnects, client.silences, {{"cause", "silence"}});
  page.counter(reconnects, client.gone, {{"cause", "gone"}});
  page.counter(reconnects, client.moved, {{"cause", "moved"}});
  page.counter(reconnects, client.reconnects - std::min(client.reconnects, known), {{"cause", "other"}});
  page.counter(metric("reelway_edge_replica_writes_total"), state.writer.writes, {{"result", "ok"}});
  page.counter(metric("reelway_edge_replica_writes_total"), state.writer.errors, {{"result", "failed"}});
  page.counter(metric("reelway_edge_replica_set_aside_total"), state.writer.set_aside);
}

void add_edge(MetricPage& page, EdgeServer& first) {
  page.gauge(metric("reelway_edge_info"), 1, {{"version", kVersion}, {"edge_id", first.config().edge_id}});
  page.gauge(metric("reelway_edge_uptime_seconds"), seconds(first.clock().monotonic() - first.started()));
  page.gauge(metric("reelway_edge_ready"), first.ready() ? 1 : 0);
}

void add_ring(MetricPage& page, EdgeServer& server) {
  page.gauge(metric("reelway_edge_rings"), 1);
  page.counter(metric("reelway_edge_ring_turns_total"), server.ring().turns());
  page.counter(metric("reelway_edge_ring_receive_stalls_total"), server.ring().receive_stalls());
  page.gauge(metric("reelway_edge_requests_handed_over"), static_cast<double>(server.handed().running()));
  page.counter(metric("reelway_edge_requests_handed_over_total"), server.handed().begun());
  if (server.access_log() != nullptr) {
    page.counter(metric("reelway_edge_access_log_dropped_total"), server.access_log()->dropped());
  }
}

void add_site(MetricPage& page, const Site* site) {
  const SiteCounters counters = site == nullptr ? SiteCounters{} : site->counters;
  const MetricInfo& requests = metric("reelway_edge_site_requests_total");
  page.counter(requests, counters.passed, {{"case", "passed"}});
  page.counter(requests, counters.not_shared, {{"case", "not_shared"}});
  page.counter(requests, counters.stood_in, {{"case", "stood_in"}});
  const MetricInfo& validations = metric("reelway_edge_site_validations_total");
  page.counter(validations, counters.background_begun, {{"result", "begun"}});
  page.counter(validations, counters.background_shed, {{"result", "shed"}});
  page.counter(metric("reelway_edge_site_invalidations_total"), counters.invalidated);
  page.counter(metric("reelway_edge_site_sliced_total"), counters.sliced);
  const MetricInfo& slices = metric("reelway_edge_site_slices_total");
  page.counter(slices, counters.slices_fetched, {{"result", "fetched"}});
  page.counter(slices, counters.slices_in_memory, {{"result", "memory"}});
  page.counter(slices, counters.slices_followed, {{"result", "followed"}});
  page.counter(slices, counters.slices_retried, {{"result", "retried"}});
  page.counter(slices, counters.slices_changed, {{"result", "changed"}});
}

void add_requests(MetricPage& page, const RequestCounters& counters) {
  for (std::size_t i = 0; i < RequestCounters::kOutcomes; ++i) {
    page.counter(metric("reelway_edge_requests_total"), counters.by_outcome[i],
                 {{"cache", outcome_name(static_cast<CacheOutcome>(i))}});
  }
  for (std::size_t i = 1; i < counters.by_status_class.size(); ++i) {
    const std::string label = std::to_string(i) + "xx";
    page.counter(metric("reelway_edge_responses_total"), counters.by_status_class[i], {{"class", label}});
  }
  for (std::size_t i = 0; i < RequestCounters::kErrors; ++i) {
    if (counters.by_error[i] == 0) continue;
    page.counter(metric("reelway_edge_errors_total"), counters.by_error[i],
                 {{"code", error_info(static_cast<ErrorCode>(i)).name}});
  }
  page.counter(metric("reelway_edge_body_bytes_total"), counters.body_bytes);
  page.counter(metric("reelway_edge_cut_answers_total"), counters.cut_answers);
  page.histogram(metric("reelway_edge_request_seconds"), counters.hit_time, {{"cache", "hit"}});
  page.histogram(metric("reelway_edge_request_seconds"), counters.miss_time, {{"cache", "miss"}});
}

void add_connections(MetricPage& page, const Listener& listener) {
  const ListenerCounters& accepted = listener.counters();
  const ClientCounters& clients = listener.client_counters();
  page.gauge(metric("reelway_edge_connections"), static_cast<double>(listener.connections()));
  page.counter(metric("reelway_edge_connections_total"), accepted.accepted);
  page.counter(metric("reelway_edge_connections_refused_total"), accepted.refused_over_limit);
  page.counter(metric("reelway_edge_accept_pauses_total"), accepted.accept_pauses);
  page.counter(metric("reelway_edge_received_bytes_total"), clients.received_bytes);
  page.counter(metric("reelway_edge_sent_bytes_total"), clients.sent_bytes);
  page.counter(metric("reelway_edge_lent_bytes_total"), clients.lent_bytes);
  page.counter(metric("reelway_edge_malformed_requests_total"), clients.malformed_requests);
  page.counter(metric("reelway_edge_timeouts_total"), clients.header_timeouts, {{"limit", "header"}});
  page.counter(metric("reelway_edge_timeouts_total"), clients.stalled_answers, {{"limit", "idle"}});
  page.counter(metric("reelway_edge_clients_gone_total"), clients.clients_gone);
}

void add_tokens(MetricPage& page, EdgeServer& server) {
  const TokenCounters& tokens = server.tokens().counters();
  const MetricInfo& checks = metric("reelway_edge_token_checks_total");
  page.gauge(metric("reelway_edge_tokens_remembered"), static_cast<double>(server.tokens().remembered()));
  page.counter(checks, tokens.remembered, {{"how", "remembered"}});
  page.counter(checks, tokens.verified, {{"how", "signature"}});
  page.counter(checks, tokens.shared, {{"how", "shared"}});
  page.counter(checks, tokens.refused, {{"how", "refused"}});
  page.counter(checks, tokens.shed, {{"how", "shed"}});
  page.counter(checks, tokens.spent, {{"how", "spent"}});
  page.counter(checks, tokens.key_waits_shed, {{"how", "key_wait_shed"}});
  page.gauge(metric("reelway_edge_token_addresses"), static_cast<double>(server.tokens().failures().addresses()));
  page.counter(checks, tokens.key_waits, {{"how", "waited_for_key"}});
}

void add_keys(MetricPage& page, EdgeServer& first) {
  std::array<double, 2> keys{};
  for (const auto& [kid, key] : first.tokens().keys().keys()) ++keys[static_cast<std::size_t>(key.state)];
  page.gauge(metric("reelway_edge_keys"), keys[0], {{"state", "active"}});
  page.gauge(metric("reelway_edge_keys"), keys[1], {{"state", "retired"}});
  if (const auto age = first.origin().keys().age()) page.gauge(metric("reelway_edge_keys_age_seconds"), seconds(*age));
  const KeyPollCounters& polls = first.origin().keys().counters();
  page.counter(metric("reelway_edge_key_polls_total"), polls.polls - polls.failures, {{"result", "ok"}});
  page.counter(metric("reelway_edge_key_polls_total"), polls.failures, {{"result", "failed"}});
}

void add_tls(MetricPage& page, const UpstreamReport& one) {
  const transport::TlsCounters counters = one.tls == nullptr ? transport::TlsCounters{} : *one.tls;
  const MetricInfo& handshakes = metric("reelway_edge_upstream_tls_handshakes_total");
  const auto count = [&](std::uint64_t value, std::string_view result) {
    page.counter(handshakes, value, {{"upstream", one.name}, {"result", result}});
  };
  count(counters.handshakes - counters.resumed, "full");
  count(counters.resumed, "resumed");
  count(counters.failed, "failed");
}

// Addresses are the same for all rings, so one tells of them.
void add_group(MetricPage& page, const UpstreamGroup& group, std::string_view name, bool with_addresses) {
  for (const UpstreamReport& one : group.report()) {
    const auto labels = {telemetry::Label{"group", name}, telemetry::Label{"upstream", one.name}};
    const auto gauge_of = [&](std::string_view metric_name, std::size_t value) {
      page.gauge(metric(metric_name), static_cast<double>(value), labels);
    };
    if (with_addresses) gauge_of("reelway_edge_upstream_addresses", one.addresses);
    if (with_addresses) gauge_of("reelway_edge_upstream_addresses_in_use", one.in_use);
    const MetricInfo& connections = metric("reelway_edge_upstream_connections");
    page.gauge(connections, static_cast<double>(one.connections - one.idle_connections),
               {{"group", name}, {"upstream", one.name}, {"state", "busy"}});
    page.gauge(connections, static_cast<double>(one.idle_connections),
               {{"group", name}, {"upstream", one.name}, {"state", "idle"}});
    page.counter(metric("reelway_edge_upstream_calls_total"), one.calls, labels);
    page.counter(metric("reelway_edge_upstream_failures_total"), one.failures, labels);
    page.counter(metric("reelway_edge_upstream_gateway_errors_total"), one.gateway_errors, labels);
    page.histogram(metric("reelway_edge_upstream_first_byte_seconds"), *one.first_byte, labels);
  }
  const UpstreamCounters pool = group.pool_counters();
  const UpstreamGroupCounters& counters = group.counters();
  const auto of_group = {telemetry::Label{"group", name}};
  page.counter(metric("reelway_edge_upstream_connects_total"), pool.connects, of_group);
  page.counter(metric("reelway_edge_upstream_reuses_total"), pool.reuses, of_group);
  page.counter(metric("reelway_edge_upstream_repeats_total"), pool.repeats, of_group);
  page.counter(metric("reelway_edge_upstream_refused_total"), pool.refused, of_group);
  page.counter(metric("reelway_edge_upstream_retries_total"), counters.retries, of_group);
  page.counter(metric("reelway_edge_upstream_probes_total"), counters.probes, of_group);
  page.counter(metric("reelway_edge_upstream_none_left_total"), counters.without_upstream, of_group);
  page.gauge(metric("reelway_edge_upstream_waiting"), static_cast<double>(group.waiting()), of_group);
}

void add_upstream(MetricPage& page, EdgeServer& server) {
  const FillCounters& fills = server.fills().counters();
  page.counter(metric("reelway_edge_fetches_total"), fills.fetches);
  page.counter(metric("reelway_edge_fetched_bytes_total"), fills.fetched_bytes);
  page.counter(metric("reelway_edge_fetch_failures_total"), fills.fetch_failures);
  page.counter(metric("reelway_edge_fetches_not_kept_total"), fills.not_kept);
  page.counter(metric("reelway_edge_fetches_not_modified_total"), fills.not_modified);
  page.gauge(metric("reelway_edge_fills"), static_cast<double>(server.fills().running()));
  const Upstreams& upstreams = server.upstreams();
  const bool is_first = server.seat().is_first();
  const ContinuationCounters& rests = upstreams.continuations();
  const MetricInfo& continuations = metric("reelway_edge_fetch_continuations_total");
  page.counter(continuations, rests.completed, {{"result", "completed"}});
  page.counter(continuations, rests.refused, {{"result", "refused"}});
  page.counter(continuations, rests.begun - rests.completed - rests.refused, {{"result", "failed"}});
  add_group(page, upstreams.film_group(), "films", is_first);
  add_group(page, upstreams.control_group(), "control", is_first);
  add_group(page, upstreams.heartbeat_group(), "heartbeats", is_first);
  for (const UpstreamReport& one : upstreams.film_group().report()) add_tls(page, one);
  if (upstreams.site_group() == nullptr) return;
  add_group(page, *upstreams.site_group(), "site", is_first);
  for (const UpstreamReport& one : upstreams.site_group()->report()) add_tls(page, one);
}

void add_disk(MetricPage& page, const DiskReport& disk) {
  const auto labels = {telemetry::Label{"disk", disk.directory}};
  page.gauge(metric("reelway_edge_store_disk_in_service"), disk.is_in_service ? 1 : 0, labels);
  page.gauge(metric("reelway_edge_store_disk_bytes"), static_cast<double>(disk.bytes), labels);
  page.gauge(metric("reelway_edge_store_disk_budget_bytes"), static_cast<double>(disk.budget_bytes), labels);
  page.gauge(metric("reelway_edge_store_disk_objects"), static_cast<double>(disk.objects), labels);
  const MetricInfo& errors = metric("reelway_edge_store_disk_errors_total");
  page.counter(errors, disk.read_errors, {{"disk", disk.directory}, {"operation", "read"}});
  page.counter(errors, disk.write_errors, {{"disk", disk.directory}, {"operation", "write"}});
}

void add_store(MetricPage& page, const StoreCounters& store) {
  const MetricInfo& lookups = metric("reelway_edge_store_lookups_total");
  page.counter(lookups, store.memory_hits, {{"result", "memory"}});
  page.counter(lookups, store.disk_hits, {{"result", "disk"}});
  page.counter(lookups, store.follows, {{"result", "follow"}});
  page.counter(lookups, store.misses, {{"result", "miss"}});
  const MetricInfo& fills = metric("reelway_edge_store_fills_total");
  page.counter(fills, store.fills_completed, {{"result", "completed"}});
  page.counter(fills, store.fills_failed, {{"result", "failed"}});
  page.counter(fills, store.fills_refused, {{"result", "refused"}});
  page.gauge(metric("reelway_edge_store_bytes"), static_cast<double>(store.memory_bytes), {{"tier", "memory"}});
  page.gauge(metric("reelway_edge_store_bytes"), static_cast<double>(store.disk_bytes), {{"tier", "disk"}});
  page.gauge(metric("reelway_edge_store_objects"), static_cast<double>(store.memory_objects), {{"tier", "memory"}});
  page.gauge(metric("reelway_edge_store_objects"), static_cast<double>(store.disk_objects), {{"tier", "disk"}});
  page.counter(metric("reelway_edge_store_evictions_total"), store.memory_evictions, {{"tier", "memory"}});
  page.counter(metric("reelway_edge_store_evictions_total"), store.disk_evictions, {{"tier", "disk"}});
  const MetricInfo& writes = metric("reelway_edge_store_disk_writes_total");
  page.counter(writes, store.disk_writes, {{"result", "ok"}});
  page.counter(writes, store.disk_write_errors, {{"result", "failed"}});
  page.counter(writes, store.disk_writes_shed, {{"result", "shed"}});
  page.counter(metric("reelway_edge_store_corrupt_total"), store.disk_corrupt);
  const MetricInfo& disks = metric("reelway_edge_store_disks");
  page.gauge(disks, static_cast<double>(store.disks_in_service), {{"state", "in_service"}});
  page.gauge(disks, static_cast<double>(store.disks_loading), {{"state", "loading"}});
  page.gauge(disks, static_cast<double>(store.disks_out), {{"state", "out"}});
  page.counter(metric("reelway_edge_store_lost_objects_total"), store.disk_objects_lost);
}

}  // namespace

std::span<const MetricInfo> edge_metrics() {
  return kMetrics;
}

void gather_metrics(GatheredMetrics& gathered, EdgeServer& server) {
  MetricPage& page = gathered.page;
  if (server.seat().is_first()) add_edge(page, server);
  add_ring(page, server);
  add_requests(page, server.counters());
  add_site(page, server.site());
  add_connections(page, server.listener());
  add_tokens(page, server);
  if (server.seat().is_first()) add_keys(page, server);
  add_rentals(page, server);
  if (server.seat().is_first()) add_replica(page, server);
  add_prefetches(page, server.prefetch().counters());
  add_upstream(page, server);
  for (const DiskReport& disk : server.store().disks()) add_disk(page, disk);
  if (gathered.store) {
    add(*gathered.store, server.store().counters());
  } else {
    gathered.store = server.store().counters();
  }
}

std::string metrics_page(GatheredMetrics& gathered) {
  add_store(gathered.page, *gathered.store);
  return gathered.page.text();
}

}  // namespace reelway::edge
