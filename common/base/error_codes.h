#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace reelway {

// Every error that a person or a program can meet, once. Names are stable: clients and runbooks rely on them.
// docs/reference/errors.md is generated from this table.
enum class ErrorCode : std::uint16_t {
  // self
  internal,
  overloaded,
  shutting_down,
  timed_out,
  // start-up and configuration
  config_unreadable,
  config_syntax,
  config_key_missing,
  config_key_unknown,
  config_value_invalid,
  port_in_use,
  kernel_feature_missing,
  sandbox_unavailable,
  // HTTP
  http_malformed,
  http_too_large,
  http_method_not_allowed,
  http_not_found,
  http_length_required,
  http_bad_request,
  http_unsupported,
  http_media_type,
  range_not_satisfiable,
  not_in_cache,
  credential_missing,
  credential_wrong,
  not_an_edge,
  // tokens
  token_missing,
  token_malformed,
  token_signature_bad,
  token_expired,
  token_not_yet_valid,
  token_other_title,
  token_key_unknown,
  token_key_retired,
  token_failures_exceeded,
  // rentals and purchases
  entitlement_missing,
  entitlement_revoked,
  rental_window_passed,
  rental_play_time_passed,
  licence_ended,
  rental_unknown,
  stream_limit_reached,
  rendition_not_in_offer,
  language_not_in_offer,
  rights_too_stale,
  account_id_invalid,
  account_not_found,
  entitlement_not_found,
  offer_not_found,
  already_entitled,
  idempotency_key_reused,
  session_not_found,
  // change stream
  replica_malformed,
  replica_moved,
  replica_not_ready,
  // upstream
  upstream_unreachable,
  upstream_failed,
  upstream_truncated,
  upstream_corrupt,
  upstream_changed,
  upstream_untrusted,
  // disk
  disk_full,
  io_failed,
  not_found_on_disk,
  stored_data_corrupt,
  // control store
  store_unavailable,
  store_unknown,
  store_compacted,
  store_too_large,
  store_conflict,
  store_request_invalid,
  // catalogue and ingest
  title_id_invalid,
  title_exists,
  title_not_found,
  title_not_published,
  version_not_found,
  job_not_found,
  job_cancelled,
  claim_lost,
  key_not_found,
  upload_not_found,
  upload_incomplete,
  upload_too_large,
  upload_in_progress,
  upload_locked,
  upload_offset_differs,
  upload_checksum_differs,
  upload_is_final,
  upload_quota_reached,
  media_unreadable,
  media_truncated,
  media_no_video,
  media_no_audio,
  media_zero_duration,
  media_unsupported,
  packaging_not_offered,
  clip_invalid,
  key_provider_unavailable,
  key_provider_refused,
  cpix_malformed,
  transcode_failed,
  quality_report_missing,
  quality_finding_not_found,
  quality_blocked,
  index_malformed,
  mp4_malformed,
  // object stores and imports
  object_store_not_configured,
  object_store_unreachable,
  object_store_denied,
  object_store_clock_skew,
  object_store_busy,
  object_store_redirected,
  object_store_failed,
  object_store_answer_malformed,
  bucket_not_found,
  object_not_found,
  object_changed,
  object_corrupt,
  import_not_found,
  tus_version,
  // publishing and deliveries
  approval_needed,
  version_not_ready,
  version_in_use,
  verification_failed,
  original_removed,
  manifest_invalid,
  delivery_file_missing,
  subtitle_malformed,
  // films fetched by URL
  url_refused,
  url_unreachable,
  url_failed,
  url_changed,
  // command line
  server_unreachable,
  usage,
};

struct ErrorInfo {
  ErrorCode code;
  std::string_view name;
  std::uint16_t http_status;
  std::string_view meaning;
  std::string_view remedy;
};

const ErrorInfo& error_info(ErrorCode code);
std::span<const ErrorInfo> error_table();

}  // namespace reelway
