#include "common/base/error_codes.h"

#include <array>

#include "common/base/check.h"

namespace reelway {
namespace {

using enum ErrorCode;

constexpr auto kErrors = std::to_array<ErrorInfo>({
    {internal, "internal", 500, "a fault in Reelway itself", "report it with the log lines around it"},
    {overloaded, "overloaded", 503, "a stated limit is reached",
     "retry after a moment; raise the limit named in the detail if it recurs"},
    {shutting_down, "shutting_down", 503, "the server is draining", "retry at another edge"},
    {timed_out, "timed_out", 504, "a time limit passed", "retry; see the detail for the limit"},
    {config_unreadable, "config_unreadable", 500, "the configuration file cannot be read",
     "check the path and the permissions"},
    {config_syntax, "config_syntax", 500, "the configuration file is not valid YAML",
     "mend the line that the detail names"},
    {config_key_missing, "config_key_missing", 500, "a required configuration key is missing",
     "add the key; the commented example in config/ shows it"},
    {config_key_unknown, "config_key_unknown", 500, "the configuration has a key that does not exist",
     "remove or correct the key"},
    {config_value_invalid, "config_value_invalid", 500, "a configuration value is not of the expected form",
     "write a value of the form that the detail names"},
    {port_in_use, "port_in_use", 500, "another program listens on this address",
     "stop that program or choose another address in the configuration"},
    {kernel_feature_missing, "kernel_feature_missing", 500, "the kernel lacks a feature that Reelway needs",
     "use Linux 6.1 or newer with io_uring enabled"},
    {sandbox_unavailable, "sandbox_unavailable", 500, "media tools cannot be confined on this machine",
     "enable user namespaces, Landlock and seccomp in the kernel"},
    {http_malformed, "http_malformed", 400, "the message is not valid HTTP/1.1", "correct the client"},
    {http_too_large, "http_too_large", 431, "the message head is over a limit", "send fewer or shorter headers"},
    {http_method_not_allowed, "http_method_not_allowed", 405, "this method is not offered here",
     "use one of the methods in the Allow header"},
    {http_not_found, "http_not_found", 404, "nothing is served at this path", "check the path"},
    {http_length_required, "http_length_required", 411, "the request needs a Content-Length",
     "send the body with its length"},
    {http_bad_request, "http_bad_request", 400, "the request's content is not as expected",
     "correct what the detail names"},
    {http_unsupported, "http_unsupported", 501, "a part of HTTP that is not offered",
     "send the request in a plainer form"},
    {range_not_satisfiable, "range_not_satisfiable", 416, "the asked range lies outside the object",
     "ask for a range below the length in Content-Range"},
    {not_in_cache, "not_in_cache", 504, "the request is to be answered from the cache only, which cannot",
     "leave out Cache-Control: only-if-cached"},
    {credential_missing, "credential_missing", 401, "this port needs a credential",
     "send Authorization: Bearer with the credential"},
    {credential_wrong, "credential_wrong", 401, "the credential is not the right one",
     "use the credential from the server's credential file"},
    {not_an_edge, "not_an_edge", 403, "the media port serves edges only",
     "play through an edge; for an edge, check its id and secret in the origin's edge list"},
    {token_missing, "token_missing", 403, "the URL carries no token", "ask the origin for a play URL"},
    {token_malformed, "token_malformed", 403, "the token is not of the known form", "use the play URL unchanged"},
    {token_signature_bad, "token_signature_bad", 403, "the token's signature does not match",
     "use the play URL unchanged"},
    {token_expired, "token_expired", 403, "the token's time is over", "ask the origin for a new play URL"},
    {token_not_yet_valid, "token_not_yet_valid", 403, "the token's time has not begun",
     "wait, or check the clocks of origin and edge"},
    {token_other_title, "token_other_title", 403, "the token is for another title", "ask for a play URL of this title"},
    {token_key_unknown, "token_key_unknown", 403, "the token names a key that this edge does not know",
     "check that origin and edge belong together and that the edge reaches the origin"},
    {token_key_retired, "token_key_retired", 403, "the token's key has been retired",
     "ask the origin for a new play URL"},
    {token_failures_exceeded, "token_failures_exceeded", 429,
     "too many tokens with a bad signature came from this address", "wait for the time in Retry-After"},
    {entitlement_missing, "entitlement_missing", 403, "the account holds no rental or purchase of this title",
     "order the title for the account first"},
    {entitlement_revoked, "entitlement_revoked", 403, "the rental or purchase has been taken back",
     "see the reason with: reelway entitlements ACCOUNT; order the title again if that is right"},
    {rental_window_passed, "rental_window_passed", 403, "the time in which the rental could be started is over",
     "rent the title again"},
    {rental_play_time_passed, "rental_play_time_passed", 403, "the play time since the rental's first play is over",
     "rent the title again"},
    {licence_ended, "licence_ended", 403, "the licence of the title has ended", "nothing can be played any more"},
    {rental_unknown, "rental_unknown", 403, "neither this edge nor the origin knows the rental that the token names",
     "ask the origin for a new playback"},
    {stream_limit_reached, "stream_limit_reached", 403, "the account plays on as many devices as it may",
     "end play on another device, or wait until its stream is free"},
    {rendition_not_in_offer, "rendition_not_in_offer", 403, "the rendition is higher than what was rented",
     "play the master playlist of this token: it lists what was rented"},
    {language_not_in_offer, "language_not_in_offer", 403, "the language is not among those that were rented",
     "play the master playlist of this token: it lists what was rented"},
    {rights_too_stale, "rights_too_stale", 503, "this edge has not heard of the rentals for too long",
     "play from another edge; check that this edge reaches an origin"},
    {account_id_invalid, "account_id_invalid", 400, "this is no account id",
     "use 1 to 64 of A-Z, a-z, 0-9, '.', '_', '~', '@' and '-', beginning with a letter or digit"},
    {account_not_found, "account_not_found", 404, "no order was ever made for this account",
     "check the account id; an account exists from its first order"},
    {entitlement_not_found, "entitlement_not_found", 404, "there is no such rental or purchase",
     "list the account's with: reelway entitlements ACCOUNT"},
    {offer_not_found, "offer_not_found", 404, "there is no such offer", "list the offers with: reelway offers"},
    {already_entitled, "already_entitled", 409, "the account holds this title already",
     "play it; a rental can be turned into a purchase with kind buy"},
    {idempotency_key_reused, "idempotency_key_reused", 409, "this idempotency key was used for another order",
     "use a new key for a new order, and the same key only to repeat the same one"},
    {session_not_found, "session_not_found", 404, "there is no such playback session",
     "ask the origin for a new playback"},
    {replica_malformed, "replica_malformed", 502, "a frame of the change stream is not well formed",
     "nothing: the edge connects again; if it recurs, check the network between origin and edge"},
    {replica_moved, "replica_moved", 502, "the origin's rentals are not those of the edge's replica",
     "nothing: the edge takes a snapshot; check that the edge is meant for this origin"},
    {replica_not_ready, "replica_not_ready", 503, "the origin is still reading the rentals", "retry after a moment"},
    {upstream_unreachable, "upstream_unreachable", 502, "the origin cannot be reached",
     "check that the origin runs and that the edge's upstream address is right"},
    {upstream_failed, "upstream_failed", 502, "the origin answered with an error", "see the origin's log"},
    {upstream_truncated, "upstream_truncated", 502, "the origin's answer ended early", "retry; see the origin's log"},
    {upstream_corrupt, "upstream_corrupt", 502, "the bytes from the origin do not match their checksum",
     "retry; if it recurs, check the origin's disk"},
    {disk_full, "disk_full", 507, "there is no room on the disk", "free space or add a disk, then repeat"},
    {io_failed, "io_failed", 500, "the disk reported an error", "check the disk that the detail names"},
    {not_found_on_disk, "not_found_on_disk", 500, "a file is missing", "check the path that the detail names"},
    {stored_data_corrupt, "stored_data_corrupt", 500, "stored bytes do not match their checksum",
     "restore the file that the detail names, or ingest the film again"},
    {store_unavailable, "store_unavailable", 503, "the control store did not apply the write", "retry"},
    {store_unknown, "store_unknown", 503, "the control store may have applied the write",
     "repeat the same call: it is idempotent"},
    {store_compacted, "store_compacted", 410, "the asked revision is below the compaction floor",
     "take a snapshot and watch from there"},
    {store_too_large, "store_too_large", 413, "the transaction is over a limit", "split it"},
    {store_conflict, "store_conflict", 409, "another change came first", "read the current state and decide again"},
    {store_request_invalid, "store_request_invalid", 400, "the transaction is not well formed",
     "correct what the detail names"},
    {title_id_invalid, "title_id_invalid", 400, "this is no title id",
     "use 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit"},
    {title_exists, "title_exists", 409, "the title exists already",
     "choose another id, or add a version with --new-version"},
    {title_not_found, "title_not_found", 404, "there is no such title", "list the titles with: reelway titles"},
    {title_not_published, "title_not_published", 409, "the title has no published version",
     "wait for its ingest to end, or see why it failed with: reelway titles"},
    {version_not_found, "version_not_found", 404, "there is no such version of the title",
     "list the versions with: reelway titles TITLE"},
    {job_not_found, "job_not_found", 404, "there is no such job", "list the titles with: reelway titles"},
    {key_not_found, "key_not_found", 404, "there is no such signing key", "list the keys with: reelway keys"},
    {upload_not_found, "upload_not_found", 404, "there is no such upload", "begin a new upload"},
    {upload_incomplete, "upload_incomplete", 400, "the body ended before its announced length", "send the file again"},
    {upload_too_large, "upload_too_large", 413, "the file is larger than an upload may be",
     "raise ingest.upload_bytes_max or send a smaller file"},
    {upload_in_progress, "upload_in_progress", 409, "this upload is being written by another request",
     "wait for that request to end"},
    {media_unreadable, "media_unreadable", 422, "the file is not a film that can be read",
     "check the file with: ffprobe FILE"},
    {media_truncated, "media_truncated", 422, "the film ends before its stated end",
     "get the complete file from its source"},
    {media_no_video, "media_no_video", 422, "the file has no video", "send a file with one video track"},
    {media_no_audio, "media_no_audio", 422, "the file has no audio",
     "send a file with an audio track; a silent one if the film is silent"},
    {media_zero_duration, "media_zero_duration", 422, "the film has no duration", "check the file with: ffprobe FILE"},
    {media_unsupported, "media_unsupported", 422, "the film has a form that cannot be transcoded",
     "convert the film to H.264 and AAC first"},
    {transcode_failed, "transcode_failed", 500, "the transcoder failed",
     "see the job's log; the original is kept, repeat the ingest"},
    {index_malformed, "index_malformed", 500, "a track index cannot be read", "ingest the film again"},
    {mp4_malformed, "mp4_malformed", 422, "an MP4 file is not well formed", "check the file with: ffprobe FILE"},
    {server_unreachable, "server_unreachable", 502, "the server cannot be reached",
     "check that it runs and that its address in this command's configuration is right"},
    {usage, "usage", 400, "the command was not understood", "see --help"},
});

// error_info indexes the table by the code's number, so order and count must agree with the enum.
constexpr bool in_order() {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    if (static_cast<std::size_t>(kErrors[i].code) != i) return false;
  }
  return kErrors.back().code == usage;
}
static_assert(in_order(), "kErrors must list every ErrorCode in the enum's order");

}  // namespace

const ErrorInfo& error_info(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  CHECK(index < kErrors.size());
  return kErrors[index];
}

std::span<const ErrorInfo> error_table() {
  return kErrors;
}

}  // namespace reelway
