#include "edge/request/slice_fetch.h"

#include <utility>

#include "common/http/serialize.h"
#include "edge/policy/forward.h"
#include "edge/request/answer.h"

namespace reelway::edge {

Slicing slicing_of(const ObjectMeta& whole) {
  return {whole.sliced_bytes, whole.slice_bytes};
}

std::string_view slice_validator_of(const ObjectMeta& whole) {
  return whole.etag.empty() ? whole.last_modified : whole.etag;
}

std::string slice_key_of(const ObjectMeta& whole, std::uint64_t number) {
  return slice_key(whole.key, slicing_of(whole), slice_validator_of(whole), number);
}

ObjectMeta slice_meta(const ObjectMeta& whole, std::uint64_t number) {
  ObjectMeta meta;
  meta.status = 206;
  meta.etag = whole.etag;
  meta.last_modified = whole.last_modified;
  meta.content_encoding = whole.content_encoding;
  meta.length = slicing_of(whole).range(number).count;
  meta.received_ms = whole.received_ms;
  meta.date_ms = whole.date_ms;
  meta.age_s = whole.age_s;
  meta.fresh_until_ms = whole.fresh_until_ms;
  meta.tags = whole.tags;
  return meta;
}

SliceFetch::SliceFetch(Site& site, std::shared_ptr<const Object> whole, std::uint64_t number, const Asked& asked)
    : site_(site),
      whole_(std::move(whole)),
      number_(number),
      primary_key_(asked.primary_key),
      target_(asked.head.target),
      alone_(asked.alone),
      authorization_(asked.head.headers.find("Authorization").has_value()) {
  const std::string host(asked.head.headers.find("Host").value_or(site.upstream_name));
  std::string lines = request_lines(asked.head, {site.edge_id, asked.client_address, true});
  lines += slice_request_lines(slicing_of(whole_->meta()), slice_validator_of(whole_->meta()), number_);
  text_ = with_lines(http::RequestBuilder("GET", target_, host).finish(), lines);
}

Result<std::string> SliceFetch::request_text() {
  ++site_.counters.slices_fetched;
  asked_ms_ = site_.clock.wall_ms();
  return std::move(text_);
}

HeadVerdict SliceFetch::refuse(ErrorCode code, std::string detail) const {
  HeadVerdict verdict;
  verdict.shared = true;
  verdict.error = Error{code, Side::upstream, true, std::move(detail)};
  return verdict;
}

HeadVerdict SliceFetch::take(const http::ResponseHead& head, FillPermit&) {
  const ObjectMeta& whole = whole_->meta();
  const SliceAnswer answer =
      judge_slice_answer(head, slicing_of(whole), slice_validator_of(whole), whole.content_encoding, number_);
  const std::string status = "status " + std::to_string(head.status);
  if (answer == SliceAnswer::failed) return refuse(ErrorCode::upstream_failed, status + " for a slice");
  if (answer == SliceAnswer::changed) {
    note_change();
    return refuse(ErrorCode::upstream_changed, status + " for a slice of " + std::string(slice_validator_of(whole)));
  }
  const bool is_kept = !alone_ && may_be_stored(head);
  if (answer == SliceAnswer::not_by_part || (!alone_ && !is_kept)) {
    site_.unsliceable.add(primary_key_);
    forget_whole();
    return refuse(ErrorCode::upstream_changed,
                  is_kept ? status + ", and not the range that was asked for" : "its parts may not be stored any more");
  }
  HeadVerdict verdict;
  verdict.kind = HeadVerdict::Kind::body;
  verdict.meta = slice_meta(whole, number_);
  verdict.keep = verdict.shared = is_kept;
  return verdict;
}

// An answer by part says for itself whether it may be stored, as the whole did (RFC 9111 section 3).
bool SliceFetch::may_be_stored(const http::ResponseHead& head) const {
  http::ResponseHead whole = head;
  whole.status = 200;
  StoringRequest request;
  request.rules = CachingRules::site;
  request.authorization = authorization_;
  request.request_ms = asked_ms_;
  return judge_response(request, whole, site_.clock.wall_ms()).store;
}

// Several servers that give one object several tags look like an object that changes all the time: slices would bring
// nobody a whole answer.
void SliceFetch::note_change() const {
  ++site_.counters.slices_changed;
  if (!forget_whole()) return;
  UncacheableKeys& keys = site_.changed_lately.contains(primary_key_) ? site_.unsliceable : site_.changed_lately;
  keys.add(primary_key_);
}

// What may lie under the key by now is the successor, which stays. False: what was known of it was gone from memory.
bool SliceFetch::forget_whole() const {
  const ObjectMeta& whole = whole_->meta();
  const auto current = site_.store.peek(whole.key);
  const bool is_successor = current != nullptr && (current->state() != ObjectState::complete ||
                                                   slice_validator_of(current->meta()) != slice_validator_of(whole));
  if (!is_successor) site_.store.erase(whole.key);
  return !is_successor && current != nullptr;
}

}  // namespace reelway::edge
