#include "origin/request/server_metrics.h"

#include <array>

namespace reelway::origin {
namespace {

using telemetry::MetricPage;

void add_port(MetricPage& page, const HttpServer& server, std::string_view port) {
  const ServerCounters& counters = server.counters();
  const ConnectionCounters& connections = counters.connections;
  page.gauge(origin_metric("reelway_origin_connections"), static_cast<double>(server.open_count()), {{"port", port}});
  page.counter(origin_metric("reelway_origin_connections_accepted_total"), counters.accepted, {{"port", port}});
  page.counter(origin_metric("reelway_origin_connections_refused_total"), counters.refused, {{"port", port}});
  page.counter(origin_metric("reelway_origin_http_malformed_total"), connections.malformed, {{"port", port}});
  page.counter(origin_metric("reelway_origin_timeouts_total"), connections.timeouts, {{"port", port}});
  page.counter(origin_metric("reelway_origin_aborted_responses_total"), connections.aborted_responses,
               {{"port", port}});
  page.counter(origin_metric("reelway_origin_streams_left_total"), connections.left_streams, {{"port", port}});
  page.counter(origin_metric("reelway_origin_sent_bytes_total"), connections.sent_bytes, {{"port", port}});
  page.counter(origin_metric("reelway_origin_received_bytes_total"), connections.received_bytes, {{"port", port}});
}

void add_files(MetricPage& page, const FileReader& files) {
  const ReadCounters& counters = files.counters();
  page.counter(origin_metric("reelway_origin_sendfile_bytes_total"), counters.sendfile_bytes);
  page.counter(origin_metric("reelway_origin_sendfile_turns_total"), counters.sendfile_turns);
  page.counter(origin_metric("reelway_origin_cold_reads_total"), counters.cold_reads);
  page.counter(origin_metric("reelway_origin_cold_read_bytes_total"), counters.cold_bytes);
  page.counter(origin_metric("reelway_origin_crc_failures_total"), counters.crc_failures);
  page.gauge(origin_metric("reelway_origin_open_files"), static_cast<double>(files.open_count()));
}

void add_keys(MetricPage& page, const SigningKeys& keys) {
  double active = 0;
  double retired = 0;
  for (const KeyRecord& key : keys.current()->keys) ++(key.retired ? retired : active);
  page.gauge(origin_metric("reelway_origin_signing_keys"), active, {{"state", "active"}});
  page.gauge(origin_metric("reelway_origin_signing_keys"), retired, {{"state", "retired"}});
}

void add_imports(MetricPage& page, const Imports& imports) {
  const Imports::Counters counters = imports.counters();
  page.gauge(origin_metric("reelway_origin_imports_queued"), static_cast<double>(counters.queued));
  page.gauge(origin_metric("reelway_origin_imports_running"), static_cast<double>(counters.running));
  page.counter(origin_metric("reelway_origin_imports_done_total"), counters.done);
  page.counter(origin_metric("reelway_origin_imports_failed_total"), counters.failed);
  page.counter(origin_metric("reelway_origin_import_bytes_total"), counters.received_bytes);
}

void add_jobs(MetricPage& page, const IngestJobs& jobs) {
  const IngestJobs::Counters counters = jobs.counters();
  page.gauge(origin_metric("reelway_origin_jobs_queued"), static_cast<double>(counters.queued));
  page.gauge(origin_metric("reelway_origin_jobs_running"), static_cast<double>(counters.running));
  page.counter(origin_metric("reelway_origin_jobs_done_total"), counters.done);
  page.counter(origin_metric("reelway_origin_jobs_failed_total"), counters.failed);
  page.gauge(origin_metric("reelway_origin_jobs_without_room"), static_cast<double>(counters.without_room));
  const auto parts = [&](std::string_view state, std::size_t count) {
    page.gauge(origin_metric("reelway_origin_job_parts"), static_cast<double>(count), {{"state", state}});
  };
  parts("waiting", counters.parts.waiting);
  parts("claimed", counters.parts.claimed);
  const auto ended = [&](std::string_view outcome, std::uint64_t count) {
    page.counter(origin_metric("reelway_origin_job_parts_total"), count, {{"outcome", outcome}});
  };
  ended("done", counters.parts.done);
  ended("failed", counters.parts.failed);
  ended("lost", counters.parts.lost);
}

void add_storage(MetricPage& page, const StorageCounters& counters) {
  page.counter(origin_metric("reelway_origin_copied_files_total"), counters.copied_files);
  page.counter(origin_metric("reelway_origin_copied_bytes_total"), counters.copied_bytes);
  page.counter(origin_metric("reelway_origin_copy_failures_total"), counters.copy_failures);
  page.counter(origin_metric("reelway_origin_scrub_files_total"), counters.scrubbed_files);
  page.counter(origin_metric("reelway_origin_scrub_bytes_total"), counters.scrubbed_bytes);
  page.counter(origin_metric("reelway_origin_scrub_rounds_total"), counters.rounds);
  page.counter(origin_metric("reelway_origin_scrub_findings_total"), counters.found);
  const telemetry::MetricInfo& mendings = origin_metric("reelway_origin_scrub_mendings_total");
  page.counter(mendings, counters.mended, {{"outcome", "mended"}});
  page.counter(mendings, counters.not_mended, {{"outcome", "not_mended"}});
  page.counter(origin_metric("reelway_origin_removed_files_total"), counters.removed_files);
  page.counter(origin_metric("reelway_origin_moved_files_total"), counters.moved_files);
}

void add_mirror(MetricPage& page, const RightsMirror& mirror) {
  const MirrorState state = mirror.state();
  const MirrorCounters counters = mirror.counters();
  page.gauge(origin_metric("reelway_origin_rights_ready"), state.ready ? 1 : 0);
  page.gauge(origin_metric("reelway_origin_rights_records"), static_cast<double>(state.records));
  page.gauge(origin_metric("reelway_origin_rights_revision"), static_cast<double>(state.revision));
  page.gauge(origin_metric("reelway_origin_rights_backlog_frames"), static_cast<double>(state.backlog_frames));
  page.gauge(origin_metric("reelway_origin_rights_backlog_bytes"), static_cast<double>(state.backlog_bytes));
  page.counter(origin_metric("reelway_origin_rights_changes_total"), counters.changes);
  page.counter(origin_metric("reelway_origin_rights_beats_total"), counters.beats);
  page.counter(origin_metric("reelway_origin_rights_loads_total"), counters.loads);
  page.counter(origin_metric("reelway_origin_rights_watches_lost_total"),
               counters.watches_lost + counters.watches_compacted);
  page.counter(origin_metric("reelway_origin_rights_store_failures_total"), counters.store_failures);
  page.counter(origin_metric("reelway_origin_rights_corrupt_records_total"), counters.corrupt_records);
}

void add_beats(MetricPage& page, const BeatWriter& beats) {
  const BeatWriter::Counters counters = beats.counters();
  const telemetry::MetricInfo& info = origin_metric("reelway_origin_beat_writes_total");
  page.counter(info, counters.written, {{"outcome", "written"}});
  page.counter(info, counters.outrun, {{"outcome", "outrun"}});
  page.counter(info, counters.failed, {{"outcome", "failed"}});
}

void add_replicas(MetricPage& page, const ReplicaCounters& counters) {
  page.gauge(origin_metric("reelway_origin_replica_streams"), static_cast<double>(counters.streams_open));
  const telemetry::MetricInfo& streams = origin_metric("reelway_origin_replica_streams_total");
  page.counter(streams, counters.streams_begun, {{"outcome", "begun"}});
  page.counter(streams, counters.streams_gone, {{"outcome", "gone"}});
  page.counter(streams, counters.streams_moved, {{"outcome", "moved"}});
  const telemetry::MetricInfo& snapshots = origin_metric("reelway_origin_replica_snapshots_total");
  page.counter(snapshots, counters.snapshots_begun, {{"outcome", "begun"}});
  page.counter(snapshots, counters.snapshots_ended, {{"outcome", "ended"}});
  page.counter(origin_metric("reelway_origin_replica_buckets_total"), counters.buckets_sent);
  page.counter(origin_metric("reelway_origin_replica_records_total"), counters.records_sent);
}

void add_edges(MetricPage& page, const EdgeRegistry& registry) {
  std::array<std::size_t, EdgeRegistry::kStandings> counts{};
  for (const EdgeRegistry::Edge& edge : registry.edges()) ++counts[static_cast<std::size_t>(edge.standing)];
  for (std::size_t i = 0; i < counts.size(); ++i) {
    page.gauge(origin_metric("reelway_origin_edges"), static_cast<double>(counts[i]),
               {{"state", name_of(static_cast<EdgeRegistry::Standing>(i))}});
  }
  page.counter(origin_metric("reelway_origin_edge_state_malformed_total"), registry.malformed_count());
}

}  // namespace

std::string metrics_page(const MetricSources& sources) {
  MetricPage page;
  add_request_metrics(page, sources.requests);
  add_port(page, sources.api, "api");
  add_port(page, sources.media, "media");
  add_files(page, sources.files);
  add_keys(page, sources.keys);
  add_imports(page, sources.imports);
  add_jobs(page, sources.jobs);
  add_storage(page, sources.storage);
  add_mirror(page, sources.mirror);
  add_beats(page, sources.beats);
  add_replicas(page, sources.replicas);
  add_edges(page, sources.edges);
  page.gauge(origin_metric("reelway_origin_work_pending"), static_cast<double>(sources.loop.work_count()));
  page.counter(origin_metric("reelway_origin_work_refused_total"), sources.loop.work_refused_count());
  return page.text();
}

}  // namespace reelway::origin
