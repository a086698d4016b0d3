#include "origin/request/metrics.h"

#include <algorithm>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

using telemetry::MetricInfo;
using telemetry::MetricKind;

constexpr std::array kMetrics = {
    MetricInfo{"reelway_origin_media_requests_total", MetricKind::counter,
               "Requests of edges on the media port, by kind of what they name."},
    MetricInfo{"reelway_origin_media_responses_total", MetricKind::counter, "Answers on the media port, by status."},
    MetricInfo{"reelway_origin_media_body_bytes_total", MetricKind::counter,
               "Bytes of bodies answered with on the media port, by kind."},
    MetricInfo{"reelway_origin_not_an_edge_total", MetricKind::counter,
               "Requests on the media port without the credentials of a listed edge."},
    MetricInfo{"reelway_origin_segments_packaged_total", MetricKind::counter, "Media segments planned and answered."},
    MetricInfo{"reelway_origin_playlists_rendered_total", MetricKind::counter,
               "Playlists and init segments made; those answered from memory are not counted."},
    MetricInfo{"reelway_origin_rendered_hits_total", MetricKind::counter,
               "Playlists and init segments answered from memory."},
    MetricInfo{"reelway_origin_sendfile_bytes_total", MetricKind::counter,
               "Bytes of films sent without passing through the program."},
    MetricInfo{"reelway_origin_sendfile_turns_total", MetricKind::counter, "Calls of sendfile that sent something."},
    MetricInfo{"reelway_origin_cold_reads_total", MetricKind::counter,
               "Times that a worker had to bring a range of a film into memory or check it before it was sent."},
    MetricInfo{"reelway_origin_cold_read_bytes_total", MetricKind::counter, "Bytes that these reads covered."},
    MetricInfo{
        "reelway_origin_crc_failures_total", MetricKind::counter,
        "Ranges of films refused because their bytes differ from the checksum in the index. Above 0: see the log."},
    MetricInfo{"reelway_origin_open_files", MetricKind::gauge, "Track files kept open."},
    MetricInfo{"reelway_origin_connections", MetricKind::gauge, "Open connections, by port."},
    MetricInfo{"reelway_origin_connections_accepted_total", MetricKind::counter, "Connections accepted, by port."},
    MetricInfo{"reelway_origin_connections_refused_total", MetricKind::counter,
               "Connections refused because too many were open, by port."},
    MetricInfo{"reelway_origin_http_malformed_total", MetricKind::counter,
               "Connections ended because a request broke the rules of HTTP or a limit, by port."},
    MetricInfo{"reelway_origin_timeouts_total", MetricKind::counter, "Connections ended by a time limit, by port."},
    MetricInfo{"reelway_origin_aborted_responses_total", MetricKind::counter, "Answers that were cut short, by port."},
    MetricInfo{"reelway_origin_sent_bytes_total", MetricKind::counter, "Bytes sent, heads and bodies, by port."},
    MetricInfo{"reelway_origin_received_bytes_total", MetricKind::counter, "Bytes received, by port."},
    MetricInfo{"reelway_origin_api_requests_total", MetricKind::counter, "Answers of the API, by route and status."},
    MetricInfo{"reelway_origin_upload_bytes_total", MetricKind::counter, "Bytes of films received."},
    MetricInfo{"reelway_origin_uploads_completed_total", MetricKind::counter, "Uploads received whole."},
    MetricInfo{"reelway_origin_uploads_failed_total", MetricKind::counter,
               "Uploads whose body ended with an error or early. One by tus keeps what came."},
    MetricInfo{"reelway_origin_imports_queued", MetricKind::gauge, "Imports that wait for their turn."},
    MetricInfo{"reelway_origin_imports_running", MetricKind::gauge, "Imports that are being fetched."},
    MetricInfo{"reelway_origin_imports_done_total", MetricKind::counter, "Imports that became uploads."},
    MetricInfo{"reelway_origin_imports_failed_total", MetricKind::counter, "Imports that failed."},
    MetricInfo{"reelway_origin_import_bytes_total", MetricKind::counter,
               "Bytes that came from object stores and URLs, with those that imports held already when they began."},
    MetricInfo{"reelway_origin_jobs_queued", MetricKind::gauge, "Ingest jobs that wait."},
    MetricInfo{"reelway_origin_jobs_running", MetricKind::gauge, "Ingest jobs that run."},
    MetricInfo{"reelway_origin_jobs_done_total", MetricKind::counter, "Ingest jobs that published a version."},
    MetricInfo{"reelway_origin_jobs_failed_total", MetricKind::counter, "Ingest jobs that failed."},
    MetricInfo{"reelway_origin_jobs_without_room", MetricKind::gauge, "Ingest jobs that a full disk holds."},
    MetricInfo{"reelway_origin_job_parts", MetricKind::gauge,
               "Parts of films to be made; state: waiting, claimed (by a worker)."},
    MetricInfo{"reelway_origin_job_parts_total", MetricKind::counter,
               "Tries at parts of films; outcome: done, failed, lost (the worker was not heard of)."},
    MetricInfo{"reelway_origin_copied_files_total", MetricKind::counter, "Files copied to the bucket."},
    MetricInfo{"reelway_origin_copied_bytes_total", MetricKind::counter, "Bytes read to be copied to the bucket."},
    MetricInfo{"reelway_origin_copy_failures_total", MetricKind::counter,
               "Files that could not be copied; they are tried again. Rising: see the log."},
    MetricInfo{"reelway_origin_scrub_files_total", MetricKind::counter, "Files read again to find rot."},
    MetricInfo{"reelway_origin_scrub_bytes_total", MetricKind::counter, "Bytes read again to find rot."},
    MetricInfo{"reelway_origin_scrub_rounds_total", MetricKind::counter, "Rounds over all files that ended."},
    MetricInfo{"reelway_origin_scrub_findings_total", MetricKind::counter,
               "Files found to differ from what was written. Above 0: see reelway storage."},
    MetricInfo{"reelway_origin_scrub_mendings_total", MetricKind::counter,
               "Attempts to put a file right from its second copy, by outcome: mended, not_mended."},
    MetricInfo{"reelway_origin_removed_files_total", MetricKind::counter, "Files removed by the rules of retention."},
    MetricInfo{"reelway_origin_moved_files_total", MetricKind::counter,
               "Originals that left the disk because the bucket has them."},
    MetricInfo{"reelway_origin_signing_keys", MetricKind::gauge, "Signing keys, by state."},
    MetricInfo{"reelway_origin_rights_ready", MetricKind::gauge,
               "1 when the origin's own copy of the rentals and purchases is whole, so that edges can follow it."},
    MetricInfo{"reelway_origin_rights_records", MetricKind::gauge, "Entitlements in that copy."},
    MetricInfo{"reelway_origin_rights_revision", MetricKind::gauge, "Revision of the control store that it is at."},
    MetricInfo{"reelway_origin_rights_changes_total", MetricKind::counter,
               "Revisions that changed entitlements, as seen by that copy."},
    MetricInfo{"reelway_origin_rights_beats_total", MetricKind::counter,
               "Beats that came back from the control store. Not rising: edges see their rights grow stale."},
    MetricInfo{"reelway_origin_rights_loads_total", MetricKind::counter, "Times that all entitlements were read."},
    MetricInfo{"reelway_origin_rights_watches_lost_total", MetricKind::counter,
               "Times that the control store's watch ended and was begun again."},
    MetricInfo{"reelway_origin_rights_store_failures_total", MetricKind::counter,
               "Times that the entitlements could not be read."},
    MetricInfo{"reelway_origin_rights_corrupt_records_total", MetricKind::counter,
               "Stored entitlements that could not be read and that edges are not told of. Above 0: see the log."},
    MetricInfo{"reelway_origin_rights_backlog_frames", MetricKind::gauge,
               "Changes and beats kept for edges that come back."},
    MetricInfo{"reelway_origin_rights_backlog_bytes", MetricKind::gauge, "Their bytes."},
    MetricInfo{"reelway_origin_beat_writes_total", MetricKind::counter,
               "Beats due, by outcome: written, outrun (another origin wrote it), failed."},
    MetricInfo{"reelway_origin_replica_streams", MetricKind::gauge, "Edges that follow the change stream now."},
    MetricInfo{"reelway_origin_replica_streams_total", MetricKind::counter,
               "Change streams begun, and of them those refused, by outcome: begun, gone (the position is no longer "
               "kept), moved (another cluster, or a revision that is not reached yet)."},
    MetricInfo{"reelway_origin_replica_snapshots_total", MetricKind::counter,
               "Snapshots of the entitlements, by outcome: begun, ended (sent whole)."},
    MetricInfo{"reelway_origin_replica_buckets_total", MetricKind::counter,
               "Buckets sent to edges whose replica differed."},
    MetricInfo{"reelway_origin_replica_records_total", MetricKind::counter, "Records sent in snapshots and buckets."},
    MetricInfo{"reelway_origin_streams_left_total", MetricKind::counter,
               "Streams that the client ended while there was nothing to send, by port."},
    MetricInfo{"reelway_origin_edges", MetricKind::gauge, "Edges heard of in the last 24 hours, by state."},
    MetricInfo{"reelway_origin_edge_state_malformed_total", MetricKind::counter,
               "Reports of edges on themselves that could not be understood."},
    MetricInfo{"reelway_origin_work_pending", MetricKind::gauge, "Pieces of work given to workers and not finished."},
    MetricInfo{"reelway_origin_work_refused_total", MetricKind::counter,
               "Pieces of work refused because too many were pending."},
};

}  // namespace

std::string_view name_of(MediaKind kind) {
  switch (kind) {
    case MediaKind::multivariant: return "multivariant";
    case MediaKind::media_playlist: return "media_playlist";
    case MediaKind::init: return "init";
    case MediaKind::segment: return "segment";
    case MediaKind::text: return "text";
    case MediaKind::image: return "image";
    case MediaKind::keys: return "keys";
    case MediaKind::replica_stream: return "replica_stream";
    case MediaKind::replica_snapshot: return "replica_snapshot";
    case MediaKind::replica_repair: return "replica_repair";
    case MediaKind::entitlement: return "entitlement";
    case MediaKind::heartbeat: return "heartbeat";
    case MediaKind::content_key: return "content_key";
    case MediaKind::other: break;
  }
  return "other";
}

std::span<const MetricInfo> origin_metrics() {
  return kMetrics;
}

const MetricInfo& origin_metric(std::string_view name) {
  const auto found =
      std::find_if(kMetrics.begin(), kMetrics.end(), [name](const MetricInfo& info) { return info.name == name; });
  CHECK(found != kMetrics.end());
  return *found;
}

void add_request_metrics(telemetry::MetricPage& page, const RequestCounters& counters) {
  for (std::size_t i = 0; i < kMediaKinds; ++i) {
    const std::string_view kind = name_of(static_cast<MediaKind>(i));
    page.counter(origin_metric("reelway_origin_media_requests_total"), counters.media_requests[i], {{"kind", kind}});
    page.counter(origin_metric("reelway_origin_media_body_bytes_total"), counters.media_body_bytes[i],
                 {{"kind", kind}});
  }
  for (const auto& [status, count] : counters.media_responses) {
    page.counter(origin_metric("reelway_origin_media_responses_total"), count, {{"status", std::to_string(status)}});
  }
  for (const auto& [route_and_status, count] : counters.api_responses) {
    const auto& [route, status] = route_and_status;
    page.counter(origin_metric("reelway_origin_api_requests_total"), count,
                 {{"route", route}, {"status", std::to_string(status)}});
  }
  page.counter(origin_metric("reelway_origin_not_an_edge_total"), counters.not_an_edge);
  page.counter(origin_metric("reelway_origin_segments_packaged_total"), counters.segments_packaged);
  page.counter(origin_metric("reelway_origin_playlists_rendered_total"), counters.playlists_rendered);
  page.counter(origin_metric("reelway_origin_rendered_hits_total"), counters.rendered_hits);
  page.counter(origin_metric("reelway_origin_upload_bytes_total"), counters.upload_bytes);
  page.counter(origin_metric("reelway_origin_uploads_completed_total"), counters.uploads_completed);
  page.counter(origin_metric("reelway_origin_uploads_failed_total"), counters.uploads_failed);
}

}  // namespace reelway::origin
