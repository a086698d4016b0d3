#include "edge/request/site_fetch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/http/range.h"
#include "common/http/serialize.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/forward.h"
#include "edge/policy/invalidation.h"
#include "edge/policy/tags.h"
#include "edge/policy/vary.h"
#include "edge/request/answer.h"
#include "edge/request/fill.h"
#include "edge/request/slice_fetch.h"
#include "edge/request/stored_meta.h"

// Variants. An object whose answers vary is found in two look-ups: under its own key lies a marker, an object of status
// 0 without a body, that names the fields (and holds a generation, in the place of its entity tag); the variant's key
// is made of the object's key, those fields of the request, and the generation. So whoever drops the marker drops all
// variants with it, wherever they lie. The names of a marker only grow: an answer that varies by a further field makes
// a new marker with the union, and what lay under fewer names is found no more.
//
// Large objects. Under the key of an object (or of a variant) that is longer than site.slicing says lies its head
// alone, as an object without a body; the body lies in slices under keys of their own (policy/slices.h), which
// slice_fetch.h brings in.
//
// Which answers are stored is judged by policy/freshness.h; here it turns into places in the store.

namespace reelway::edge {
namespace {

std::string content_line(const http::RequestHead& head, std::string_view content) {
  const bool has_content = head.chunked || head.content_length.has_value();
  return has_content ? "Content-Length: " + std::to_string(content.size()) + "\r\n" : std::string{};
}

std::vector<std::string> united(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace

std::string variant_key_of(const ObjectMeta& marker, std::string_view primary_key, const http::HeaderList& headers) {
  auto key = variant_key(primary_key, marker.vary, headers);
  return key ? *key + "\n" + marker.etag : std::string{};
}

bool may_share_authorized(const ObjectMeta& meta) {
  StoringRequest request;
  request.rules = CachingRules::site;
  request.authorization = true;
  return judge_freshened(request, meta.status, head_of(meta), {}, meta.received_ms).store;
}

SiteFetch::SiteFetch(Site& site, const SiteState& state, const Asked& asked)
    : site_(site),
      passes_(state.passes),
      only_if_cached_(state.wish.only_if_cached),
      method_(asked.head.method),
      method_text_(asked.head.method_text),
      host_(asked.head.headers.find("Host").value_or(site.upstream_name)),
      target_(asked.head.target),
      wish_(state.wish),
      headers_(asked.head.headers),
      primary_key_(state.primary_key),
      key_(asked.key),
      marker_(state.marker),
      stored_(state.stored) {
  const ForwardRequest forward{site.edge_id, asked.client_address, !passes_};
  std::string lines = request_lines(asked.head, forward);
  if (passes_) lines += content_line(asked.head, asked.content);
  text_ = with_lines(http::RequestBuilder(method_text_, target_, host_).finish(), lines);
  if (passes_) text_ += asked.content;
}

SiteFetch::~SiteFetch() {
  if (in_background_) --site_.background;
}

void SiteFetch::in_background() {
  in_background_ = true;
  ++site_.background;
  ++site_.counters.background_begun;
}

Result<std::string> SiteFetch::request_text() {
  if (only_if_cached_) {
    return Error{ErrorCode::not_in_cache, Side::client, false, "the request says only-if-cached"};
  }
  asked_ms_ = site_.clock.wall_ms();
  if (passes_ || stored_ == nullptr || asked_again_) return std::move(text_);
  return with_lines(text_, validation_lines(validators_of(stored_->meta())));
}

StoringRequest SiteFetch::storing_request() const {
  StoringRequest request;
  request.rules = CachingRules::site;
  request.method = method_;
  request.authorization = headers_.list().find("Authorization").has_value();
  request.no_store = wish_.no_store;
  request.request_ms = asked_ms_;
  return request;
}

HeadVerdict SiteFetch::refuse(std::string detail) const {
  HeadVerdict verdict;
  verdict.shared = true;
  verdict.error = Error{ErrorCode::upstream_failed, Side::upstream, true, std::move(detail)};
  return verdict;
}

HeadVerdict SiteFetch::take(const http::ResponseHead& head, FillPermit& permit) {
  if (passes_ || to_head()) return take_passed(head);
  if (head.status == 304) return take_not_modified(head);
  const std::int64_t now_ms = site_.clock.wall_ms();
  if (stored_ != nullptr && is_error_5xx(head.status) &&
      stale_if_error(wish_, freshness_of(stored_->meta()), now_ms, UpstreamTrouble::error_5xx, 0)) {
    return refuse("status " + std::to_string(head.status));
  }
  return take_answer(head, permit);
}

HeadVerdict SiteFetch::take_passed(const http::ResponseHead& head) {
  for (const std::string& target : invalidated_targets(method_text_, host_, target_, head)) {
    site_.erase(site_cache_key(host_, target));
    ++site_.counters.invalidated;
  }
  const std::int64_t now_ms = site_.clock.wall_ms();
  HeadVerdict verdict;
  verdict.kind = HeadVerdict::Kind::body;
  verdict.meta.status = head.status;
  take_head(verdict.meta, stored_head(head));
  take_freshness(verdict.meta, judge_response(storing_request(), head, now_ms), now_ms);
  const bool has_body = !to_head() && head.status != 204 && head.status != 304;
  if (has_body && !head.chunked) verdict.meta.length = head.content_length;
  // It describes a body that does not come (RFC 9110 section 8.6).
  if (!has_body && head.status != 204 && head.content_length) {
    verdict.meta.headers += "Content-Length: " + std::to_string(*head.content_length) + "\r\n";
  }
  return verdict;
}

HeadVerdict SiteFetch::take_not_modified(const http::ResponseHead& head) {
  if (stored_ == nullptr || asked_again_) return refuse("a 304 to a request without a condition");
  HeadVerdict verdict;
  if (!confirms_stored(head, validators_of(stored_->meta()))) {
    // The origin has something else than what is stored.
    asked_again_ = true;
    verdict.kind = HeadVerdict::Kind::ask_again;
    return verdict;
  }
  const std::int64_t now_ms = site_.clock.wall_ms();
  const StoredHead freshened = freshened_head(head_of(stored_->meta()), head);
  const FreshnessVerdict freshness =
      judge_freshened(storing_request(), stored_->meta().status, freshened, head, now_ms);
  verdict.kind = HeadVerdict::Kind::not_modified;
  verdict.stored = stored_;
  verdict.meta = stored_->meta();
  take_head(verdict.meta, freshened);
  take_freshness(verdict.meta, freshness, now_ms);
  verdict.shared = true;
  verdict.keep = freshness.store;
  if (!verdict.keep) site_.store.erase(key_);
  return verdict;
}

HeadVerdict SiteFetch::take_answer(const http::ResponseHead& head, FillPermit& permit) {
  const std::int64_t now_ms = site_.clock.wall_ms();
  const FreshnessVerdict freshness = judge_response(storing_request(), head, now_ms);
  HeadVerdict verdict;
  verdict.kind = HeadVerdict::Kind::body;
  verdict.meta.status = head.status;
  take_head(verdict.meta, stored_head(head));
  take_freshness(verdict.meta, freshness, now_ms);
  if (!head.chunked && head.status != 204) verdict.meta.length = head.content_length;
  Tags tags = tags_of(head.headers);
  verdict.meta.tags = std::move(tags.tags);
  verdict.keep = freshness.store && !tags.too_many && choose_key(head, permit, verdict.meta);
  verdict.shared = verdict.keep;
  verdict.keep ? site_.uncacheable.remove(primary_key_) : not_stored(head);
  if (verdict.keep) take_slices(head, permit, verdict);
  return verdict;
}

// A large object is stored as its head alone, and its body in slices. What comes is the first one, if the client asks
// for some of it; else the answer has told all that is wanted of it.
void SiteFetch::take_slices(const http::ResponseHead& head, const FillPermit& permit, HeadVerdict& verdict) const {
  const std::uint64_t length = head.content_length.value_or(0);
  const bool is_large = site_.slicing.slice_bytes > 0 && length > site_.slicing.whole_bytes_max;
  if (!is_large || !is_sliceable(head) || site_.unsliceable.contains(primary_key_)) return;
  // Of what was read from disk before, and is to be completed, the readers may have some.
  if (permit.object()->state() != ObjectState::awaiting_head) return;
  ++site_.counters.sliced;
  verdict.kind = HeadVerdict::Kind::sliced;
  verdict.meta.length = 0;
  verdict.meta.sliced_bytes = length;
  verdict.meta.slice_bytes = site_.slicing.slice_bytes;
  verdict.meta.key = permit.object()->meta().key;
  if (!wants_first_slice(verdict.meta)) return;
  Lookup found = site_.store.lookup(slice_key_of(verdict.meta, 0));
  if (found.kind != Lookup::Kind::fill) return;
  ++site_.counters.slices_fetched;
  verdict.slice = std::move(found.permit);
  verdict.slice_meta = slice_meta(verdict.meta, 0);
}

bool SiteFetch::wants_first_slice(const ObjectMeta& whole) const {
  const auto range = headers_.list().find("Range");
  if (!range || !range_may_apply(headers_.list().find("If-Range"), whole.etag, whole.last_modified)) return true;
  const auto decision = http::decide_ranges(*range, whole.sliced_bytes);
  const auto* ranges = std::get_if<std::vector<http::ByteRange>>(&decision);
  if (ranges == nullptr) return std::holds_alternative<http::WholeObject>(decision);
  return std::any_of(ranges->begin(), ranges->end(),
                     [&](const http::ByteRange& one) { return one.first < whole.slice_bytes; });
}

// What the answer shows about the next ones: they will not be shared either, unless it is this request's own doing.
void SiteFetch::not_stored(const http::ResponseHead& head) {
  if (stored_ != nullptr && head.status < 500) site_.store.erase(key_);
  if (!wish_.no_store && !headers_.list().find("Authorization")) site_.uncacheable.add(primary_key_);
}

// Where the answer is kept. False: nowhere.
bool SiteFetch::choose_key(const http::ResponseHead& head, FillPermit& permit, ObjectMeta& meta) {
  const Vary vary = vary_of(head.headers);
  if (vary.any) return false;
  if (vary.names.empty() && marker_ == nullptr) return true;
  meta.vary = marker_ == nullptr ? vary.names : united(marker_->meta().vary, vary.names);
  if (marker_ != nullptr && meta.vary == marker_->meta().vary) return true;
  const std::string generation = marker_ == nullptr
                                     ? std::to_string(site_.clock.wall_ms()) + "." + std::to_string(++site_.generations)
                                     : marker_->meta().etag;
  auto key = variant_key(primary_key_, meta.vary, headers_.list());
  if (!key || !permit.move_to(*key + "\n" + generation)) return false;
  write_marker(meta.vary, generation);
  return true;
}

void SiteFetch::write_marker(const std::vector<std::string>& names, const std::string& generation) {
  Lookup found = site_.store.lookup_for_update(primary_key_);
  if (found.kind != Lookup::Kind::fill) return;  // somebody else writes it
  ObjectMeta meta;
  meta.status = 0;
  meta.vary = names;
  meta.etag = generation;
  meta.length = 0;
  meta.received_ms = meta.date_ms = site_.clock.wall_ms();
  found.permit->head(std::move(meta), true);
  (void)found.permit->complete();
}

}  // namespace reelway::edge
