#include "edge/request/film_fetch.h"

#include "common/base/crc32c.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/freshness.h"
#include "edge/policy/upstream_error.h"
#include "edge/request/fill.h"
#include "edge/request/stored_meta.h"

namespace reelway::edge {
namespace {

std::string field(const http::ResponseHead& head, std::string_view name) {
  return std::string(head.headers.find(name).value_or(std::string_view{}));
}

ObjectMeta meta_of(const http::ResponseHead& head, std::int64_t now_ms, const FreshnessVerdict& verdict) {
  ObjectMeta meta;
  meta.status = head.status;
  meta.content_type = field(head, "Content-Type");
  meta.etag = field(head, "ETag");
  meta.last_modified = field(head, "Last-Modified");
  meta.cache_control = field(head, "Cache-Control");
  meta.content_encoding = field(head, "Content-Encoding");
  if (!head.chunked) meta.length = head.content_length;
  if (const auto digest = head.headers.find("Content-Digest")) meta.crc32c = crc32c_from_digest_field(*digest);
  take_freshness(meta, verdict, now_ms);
  return meta;
}

}  // namespace

Upstream& FilmFetch::pool() const {
  return fills_.film_pool();
}

Result<std::string> FilmFetch::request_text() {
  std::string lines = view_ == kViewAll ? std::string{} : "Reelway-View: " + view_ + "\r\n";
  if (coding_ == Coding::gzip) lines += "Accept-Encoding: gzip\r\n";
  if (is_conditional()) lines += "If-None-Match: " + stored_->meta().etag + "\r\n";
  return fills_.request_text(object_path_, "GET", lines);
}

HeadVerdict FilmFetch::take(const http::ResponseHead& head, FillPermit&) {
  HeadVerdict verdict = is_conditional() && head.status == 304 ? take_not_modified(head) : take_body(head);
  verdict.shared = true;
  return verdict;
}

HeadVerdict FilmFetch::take_not_modified(const http::ResponseHead& head) {
  HeadVerdict verdict;
  const ObjectMeta& meta = stored_->meta();
  if (!confirms_stored(head, validators_of(meta))) {
    asked_again_ = true;
    verdict.kind = HeadVerdict::Kind::ask_again;
    return verdict;
  }
  const std::int64_t now_ms = fills_.clock().wall_ms();
  const StoredHead freshened = freshened_head(head_of(meta), head);
  const FreshnessVerdict freshness = judge_freshened(StoringRequest{}, meta.status, freshened, head, now_ms);
  verdict.kind = HeadVerdict::Kind::not_modified;
  verdict.stored = stored_;
  verdict.keep = freshness.store;
  verdict.meta = meta;
  verdict.meta.cache_control = freshened.cache_control;
  take_freshness(verdict.meta, freshness, now_ms);
  if (!verdict.keep) drop_stored();
  return verdict;
}

HeadVerdict FilmFetch::take_body(const http::ResponseHead& head) {
  HeadVerdict verdict;
  if (head.status != 200) {
    if (head.status < 500) drop_stored();
    verdict.error = upstream_error(head.status, head.headers.find("Reelway-Error"), object_path_);
    return verdict;
  }
  const std::int64_t now_ms = fills_.clock().wall_ms();
  const FreshnessVerdict freshness = judge_response(head, now_ms);
  verdict.kind = HeadVerdict::Kind::body;
  verdict.keep = freshness.store;
  verdict.meta = meta_of(head, now_ms, freshness);
  if (!verdict.keep) drop_stored();
  return verdict;
}

// The origin no longer has it, or no longer lets it be kept.
void FilmFetch::drop_stored() {
  if (stored_ != nullptr) fills_.store().erase(stored_->meta().key);
}

}  // namespace reelway::edge
