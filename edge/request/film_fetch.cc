#include "edge/request/film_fetch.h"

#include "common/base/crc32c.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/freshness.h"
#include "edge/policy/upstream_error.h"
#include "edge/request/fill.h"

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
  meta.received_ms = now_ms;
  meta.date_ms = verdict.date_ms;
  meta.age_s = verdict.age_s;
  meta.fresh_until_ms = verdict.fresh_until_ms;
  return meta;
}

}  // namespace

Upstream& FilmFetch::pool() const {
  return fills_.film_pool();
}

Result<std::string> FilmFetch::request_text() {
  const std::string view_line = view_ == kViewAll ? std::string{} : "Reelway-View: " + view_ + "\r\n";
  return fills_.request_text(object_path_, "GET", view_line);
}

HeadVerdict FilmFetch::take(const http::ResponseHead& head, FillPermit&) {
  HeadVerdict verdict;
  verdict.shared = true;
  if (head.status != 200) {
    verdict.error = upstream_error(head.status, head.headers.find("Reelway-Error"), object_path_);
    return verdict;
  }
  const std::int64_t now_ms = fills_.clock().wall_ms();
  const FreshnessVerdict freshness = judge_response(head, now_ms);
  verdict.kind = HeadVerdict::Kind::body;
  verdict.keep = freshness.store;
  verdict.meta = meta_of(head, now_ms, freshness);
  return verdict;
}

}  // namespace reelway::edge
