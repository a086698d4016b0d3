#include "edge/admin/metrics.h"

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/version.h"
#include "edge/net/continued_fetches.h"

namespace reelway::edge {
namespace {

using telemetry::MetricInfo;
using telemetry::MetricPage;
using enum telemetry::MetricKind;

constexpr auto kMetrics = std::to_array<MetricInfo>({
    {"reelway_edge_info", gauge, "Always 1; the version and the edge's name are its labels."},
    {"reelway_edge_uptime_seconds", gauge, "Since the process began."},
    {"reelway_edge_ready", gauge, "1 while the edge has keys and a copy of the rentals and does not drain."},
    {"reelway_edge_requests_total", counter, "Requests of the public port by how their answer came about (cache)."},
    {"reelway_edge_responses_total", counter, "Answers of the public port by the first digit of their status (class)."},
    {"reelway_edge_errors_total", counter, "Error answers of the public port by code."},
    {"reelway_edge_body_bytes_total", counter, "Body bytes handed to clients."},
    {"reelway_edge_cut_answers_total", counter,
     "Answers given up after their head: the client left, the fill failed or the rental ended."},
    {"reelway_edge_request_seconds", histogram,
     "From the whole request to the last byte handed over, by cache (hit or miss)."},
    {"reelway_edge_connections", gauge, "Public connections now."},
    {"reelway_edge_connections_total", counter, "Public connections accepted."},
    {"reelway_edge_connections_refused_total", counter,
     "Public connections refused because limits.connections_max was reached."},
    {"reelway_edge_accept_pauses_total", counter, "Times accepting rested because no descriptor or memory was left."},
    {"reelway_edge_received_bytes_total", counter, "Bytes received from clients."},
    {"reelway_edge_sent_bytes_total", counter, "Bytes sent to clients."},
    {"reelway_edge_malformed_requests_total", counter,
     "Requests refused because they were no valid HTTP/1.1 or over a limit."},
    {"reelway_edge_timeouts_total", counter, "Clients closed by a time limit (limit: header or idle)."},
    {"reelway_edge_clients_gone_total", counter, "Clients that left before their answer was complete."},
    {"reelway_edge_token_addresses", gauge, "Client addresses in the account of bad signatures."},
    {"reelway_edge_tokens_remembered", gauge, "Verified tokens in memory."},
    {"reelway_edge_token_checks_total", counter, "Token decisions by how they were made (how)."},
    {"reelway_edge_rental_decisions_total", counter,
     "Decisions on rentals by result: allowed, unseen (allowed without a record while the replica was behind), denied, "
     "unknown or too_stale."},
    {"reelway_edge_rental_questions_total", counter,
     "Entitlements asked of the origin because the replica lacked them, by result: sent, failed, shed or late "
     "(requests that did not wait for the answer)."},
    {"reelway_edge_rental_cuts_total", counter, "Answers ended because their rental ended."},
    {"reelway_edge_rentals_running", gauge, "Requests under way whose rental is watched."},
    {"reelway_edge_heartbeats_total", counter,
     "Heartbeats passed on to the origin by result: sent, failed or refused."},
    {"reelway_edge_replica_records", gauge, "Rentals in the replica."},
    {"reelway_edge_replica_revision", gauge, "The replica's position in the change stream."},
    {"reelway_edge_replica_staleness_seconds", gauge,
     "Since the last beat whose digest matched; absent while there is no copy of the rentals at all."},
    {"reelway_edge_replica_stale_alarm", gauge, "1 when the replica is older than 15 minutes: look at the network."},
    {"reelway_edge_replica_clock_offset_seconds", gauge, "This machine's clock less the origin's."},
    {"reelway_edge_replica_changes_total", counter, "Changes of rentals that came by the stream."},
    {"reelway_edge_replica_beats_total", counter, "Beats by digest: matched or differed."},
    {"reelway_edge_replica_repairs_total", counter,
     "Repairs by bucket after a digest that differed, by result: ok or failed."},
    {"reelway_edge_replica_snapshots_total", counter, "Whole snapshots taken."},
    {"reelway_edge_replica_reconnects_total", counter,
     "Streams that broke, by cause: gap, malformed, silence, gone, moved or other."},
    {"reelway_edge_replica_writes_total", counter, "Writes of the replica's durable form by result: ok or failed."},
    {"reelway_edge_replica_set_aside_total", counter, "Durable forms that could not be trusted and were set aside."},
    {"reelway_edge_keys", gauge, "Known public keys by state."},
    {"reelway_edge_keys_age_seconds", gauge,
     "Since the upstream last confirmed the keys; absent before the first time."},
    {"reelway_edge_key_polls_total", counter, "Polls of the keys by result."},
    {"reelway_edge_fetches_total", counter, "Fetches from the upstream."},
    {"reelway_edge_fetched_bytes_total", counter, "Body bytes fetched from the upstream."},
    {"reelway_edge_fetch_failures_total", counter, "Fetches that brought no whole and right object."},
    {"reelway_edge_fetches_not_kept_total", counter, "Answers that were passed on but may not be stored."},
    {"reelway_edge_fetch_continuations_total", counter,
     "Requests for the rest of a film's body that broke off, by result: completed, refused (the answer was not that "
     "rest) or failed."},
    {"reelway_edge_fetches_not_modified_total", counter, "Stored objects that the upstream said are still good."},
    {"reelway_edge_site_requests_total", counter,
     "Requests of the site by what is particular to them (case): passed, fetched for one request alone; not_shared, "
     "read "
     "along but the answer was another's only; stood_in, answered stale because the upstream failed."},
    {"reelway_edge_site_validations_total", counter,
     "Validations in the background (result): begun, or shed because too many were under way."},
    {"reelway_edge_site_invalidations_total", counter, "Stored responses dropped because of an unsafe request."},
    {"reelway_edge_site_sliced_total", counter, "Answers of the site's upstream that were found to be worth slices."},
    {"reelway_edge_site_slices_total", counter,
     "Slices of large objects by what became of them: fetched of the upstream, memory (found there), followed (being "
     "fetched for another request), retried (looked for again because they broke off), or changed (the upstream has "
     "another object now, and the answers under way were cut)."},
    {"reelway_edge_fills", gauge, "Fills under way, from disk and from the upstream."},
    {"reelway_edge_prefetches_total", counter,
     "Segments fetched ahead of a player: begun, used (asked for by a player afterwards), or held_back because the "
     "upstream was busy."},
    {"reelway_edge_upstream_addresses", gauge,
     "Addresses that an upstream's name has, by group (films, control, heartbeats or site) and upstream."},
    {"reelway_edge_upstream_addresses_in_use", gauge,
     "Of these, those that are asked: neither resting after failures nor being tried again."},
    {"reelway_edge_upstream_connections", gauge, "Connections to an upstream by state (busy or idle)."},
    {"reelway_edge_upstream_calls_total", counter, "Calls given to an upstream, retries included."},
    {"reelway_edge_upstream_failures_total", counter,
     "Calls that an upstream did not answer, answered wrongly or cut; its gateway errors too, where another is asked."},
    {"reelway_edge_upstream_gateway_errors_total", counter, "Answers 502, 503 and 504 of an upstream."},
    {"reelway_edge_upstream_first_byte_seconds", histogram,
     "From a call's start, waiting for a connection included, to the head of its answer."},
    {"reelway_edge_upstream_tls_handshakes_total", counter,
     "TLS handshakes with an upstream by result: full, resumed or failed."},
    {"reelway_edge_upstream_connects_total", counter, "Connections to upstreams begun, by group."},
    {"reelway_edge_upstream_reuses_total", counter, "Calls carried by a kept connection, by group."},
    {"reelway_edge_upstream_repeats_total", counter, "Calls repeated because a kept connection had closed, by group."},
    {"reelway_edge_upstream_retries_total", counter, "Calls given to another address after a failure, by group."},
    {"reelway_edge_upstream_probes_total", counter, "Calls by which a resting address was tried again, by group."},
    {"reelway_edge_upstream_none_left_total", counter,
     "Calls that failed because no address was left to ask, by group."},
    {"reelway_edge_upstream_waiting", gauge,
     "Calls that wait for a connection or for an upstream to be tried again, by group."},
    {"reelway_edge_upstream_refused_total", counter,
     "Calls refused because too many waited, or for too long, by group."},
    {"reelway_edge_store_lookups_total", counter, "Look-ups by result: memory, disk, follow or miss."},
    {"reelway_edge_store_fills_total", counter, "Fills ended, by result: completed, failed or refused."},
    {"reelway_edge_store_bytes", gauge, "Bytes in use by tier."},
    {"reelway_edge_store_objects", gauge, "Objects by tier."},
    {"reelway_edge_store_evictions_total", counter, "Objects dropped for want of space, by tier."},
    {"reelway_edge_store_disk_writes_total", counter, "Disk writes by result: ok, failed or shed."},
    {"reelway_edge_store_disks", gauge, "Disks by state: in_service, loading (of these, their index) or out."},
    {"reelway_edge_store_disk_in_service", gauge,
     "1 while the disk is in service, 0 once it is out, by its directory (disk); so the others of this kind."},
    {"reelway_edge_store_disk_bytes", gauge, "Bytes of bodies on the disk; 0 while its index is loaded."},
    {"reelway_edge_store_disk_budget_bytes", gauge, "Bytes that the disk may hold."},
    {"reelway_edge_store_disk_objects", gauge, "Objects on the disk; 0 while its index is loaded."},
    {"reelway_edge_store_disk_errors_total", counter, "Failed operations of the disk (operation: read or write)."},
    {"reelway_edge_store_lost_objects_total", counter, "Objects on disks that were given up."},
    {"reelway_edge_store_corrupt_total", counter,
     "Stored objects dropped because their bytes did not match their checksum."},
    {"reelway_edge_rings", gauge, "Threads that serve viewers, each with a ring of its own."},
    {"reelway_edge_requests_handed_over", gauge,
     "Requests under way whose connection is at another ring than their object."},
    {"reelway_edge_requests_handed_over_total", counter, "Such requests begun."},
    {"reelway_edge_ring_turns_total", counter, "Turns of the event loops."},
    {"reelway_edge_ring_receive_stalls_total", counter, "Receives that ended because no buffer was left."},
    {"reelway_edge_access_log_dropped_total", counter, "Access log lines dropped because the disk was too slow."},
});

constexpr const MetricInfo& metric(std::string_view name) {
  for (const MetricInfo& info : kMetrics) {
    if (info.name == name) return info;
  }
  check_failed("metric of the table", __FILE__, __LINE__);
}

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
