#include "edge/request/stored_meta.h"

#include <utility>

namespace reelway::edge {

Validators validators_of(const ObjectMeta& meta) {
  return {meta.etag, meta.last_modified, meta.date_ms};
}

StoredFreshness freshness_of(const ObjectMeta& meta) {
  StoredFreshness stored;
  stored.received_ms = meta.received_ms;
  stored.age_s = meta.age_s;
  stored.fresh_until_ms = meta.fresh_until_ms;
  stored.stale_while_revalidate_s = meta.stale_while_revalidate_s;
  stored.stale_if_error_s = meta.stale_if_error_s;
  stored.must_revalidate = meta.must_revalidate;
  stored.always_validate = meta.always_validate;
  stored.has_validator = !meta.etag.empty() || !meta.last_modified.empty();
  return stored;
}

StoredHead head_of(const ObjectMeta& meta) {
  return {meta.content_type, meta.etag, meta.last_modified, meta.cache_control, meta.content_encoding, meta.headers};
}

void take_head(ObjectMeta& meta, StoredHead head) {
  meta.content_type = std::move(head.content_type);
  meta.etag = std::move(head.etag);
  meta.last_modified = std::move(head.last_modified);
  meta.cache_control = std::move(head.cache_control);
  meta.content_encoding = std::move(head.content_encoding);
  meta.headers = std::move(head.headers);
}

void take_freshness(ObjectMeta& meta, const FreshnessVerdict& verdict, std::int64_t received_ms) {
  meta.received_ms = received_ms;
  meta.date_ms = verdict.date_ms;
  meta.age_s = verdict.age_s;
  meta.fresh_until_ms = verdict.fresh_until_ms;
  meta.stale_while_revalidate_s = verdict.stale_while_revalidate_s;
  meta.stale_if_error_s = verdict.stale_if_error_s;
  meta.must_revalidate = verdict.must_revalidate;
  meta.always_validate = verdict.always_validate;
  meta.heuristic = verdict.heuristic;
}

}  // namespace reelway::edge
