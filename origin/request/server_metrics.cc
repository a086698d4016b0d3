#include "origin/request/server_metrics.h"

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

void add_jobs(MetricPage& page, const IngestJobs& jobs) {
  const IngestJobs::Counters counters = jobs.counters();
  page.gauge(origin_metric("reelway_origin_jobs_queued"), static_cast<double>(counters.queued));
  page.gauge(origin_metric("reelway_origin_jobs_running"), static_cast<double>(counters.running));
  page.counter(origin_metric("reelway_origin_jobs_done_total"), counters.done);
  page.counter(origin_metric("reelway_origin_jobs_failed_total"), counters.failed);
}

}  // namespace

std::string metrics_page(const MetricSources& sources) {
  MetricPage page;
  add_request_metrics(page, sources.requests);
  add_port(page, sources.api, "api");
  add_port(page, sources.media, "media");
  add_files(page, sources.files);
  add_keys(page, sources.keys);
  add_jobs(page, sources.jobs);
  page.gauge(origin_metric("reelway_origin_work_pending"), static_cast<double>(sources.loop.work_count()));
  page.counter(origin_metric("reelway_origin_work_refused_total"), sources.loop.work_refused_count());
  return page.text();
}

}  // namespace reelway::origin
