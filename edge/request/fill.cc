#include "edge/request/fill.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/http/serialize.h"
#include "common/telemetry/log.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/freshness.h"
#include "edge/policy/upstream_error.h"
#include "edge/request/answer.h"

// The life of a fill:  look on disk -> there: the store completes the object, the fill ends
//                                   -> not there, or damaged part-way: fetch -> head -> body -> complete or failed
//
// The object and its readers are the store's; the fill moves bytes into it and says how the upstream's answer is to be
// taken. The request to the upstream carries nothing of any client's, neither headers nor query, so its answer is the
// same for whoever asks: that is why an answer that may not be stored can still be shared with those who asked while it
// was awaited (a reading of RFC 9111 section 4 that is wider than its letter); whoever asks later fetches anew.

namespace reelway::edge {
namespace {

constexpr std::size_t kDroppedBytesMax = 16 * 1024;

std::string field(const http::ResponseHead& head, std::string_view name) {
  return std::string(head.headers.find(name).value_or(std::string_view{}));
}

ObjectMeta meta_of(const http::ResponseHead& head, const std::string& key, std::int64_t now_ms,
                   const FreshnessVerdict& verdict) {
  ObjectMeta meta;
  meta.key = key;
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

Fill::Fill(Fills& fills, FillPermit permit, std::string_view object_path, std::string_view view)
    : fills_(fills), permit_(std::move(permit)), object_(permit_->object()), object_path_(object_path), view_(view) {}

Fill::Source Fill::source() const {
  if (fetching_) return Source::upstream;
  return object_->state() == ObjectState::awaiting_head ? Source::undecided : Source::disk;
}

void Fill::load() {
  FillPermit lent = std::move(*permit_);
  permit_.reset();
  fills_.store_.load(std::move(lent), [self = shared_from_this()](Tier tier, std::optional<FillPermit> permit) {
    if (tier == Tier::disk) return self->end();
    CHECK(permit.has_value());
    self->permit_.emplace(std::move(*permit));
    self->fetch();
  });
}

void Fill::fetch() {
  fetching_ = true;
  const std::string view_line = view_ == kViewAll ? std::string{} : "Reelway-View: " + view_ + "\r\n";
  request_text_ = fills_.request_text(object_path_, "GET", view_line);
  ++fills_.counters_.fetches;
  fills_.pool_.begin(*this);
  // A watcher may leave while it is told; it does not come back.
  for (Watcher* watcher : std::exchange(watchers_, {})) watcher->fetch_began();
}

bool Fill::head(const http::ResponseHead& head) {
  if (head.status != 200) return refused(head);
  const std::int64_t now_ms = fills_.clock_.wall_ms();
  const FreshnessVerdict verdict = judge_response(head, now_ms);
  kept_ = verdict.store;
  if (!kept_) ++fills_.counters_.not_kept;
  permit_->head(meta_of(head, object_->meta().key, now_ms, verdict), kept_);
  return true;
}

// The body of a refusal is read and dropped when it is short, because the connection can then be used again.
bool Fill::refused(const http::ResponseHead& head) {
  const auto self = shared_from_this();
  ++fills_.counters_.fetch_failures;
  permit_->fail(upstream_error(head.status, head.headers.find("Reelway-Error"), object_path_));
  end();
  if (head.content_length.value_or(kDroppedBytesMax + 1) > kDroppedBytesMax) return false;
  dropped_.resize(kDroppedBytesMax);
  self_until_dropped_ = self;
  return true;
}

std::span<std::uint8_t> Fill::room() {
  return permit_ ? permit_->room() : dropped_;
}

bool Fill::advanced(std::size_t bytes) {
  if (!permit_) return true;
  fills_.counters_.fetched_bytes += bytes;
  permit_->advance(bytes);
  if (!permit_->stopped_early()) return true;
  const auto self = shared_from_this();
  permit_->fail({ErrorCode::shutting_down, Side::client, true, "nobody reads it and it may not be stored"});
  end();
  return false;
}

void Fill::ended() {
  const auto self = shared_from_this();
  self_until_dropped_.reset();
  if (!permit_) return;
  if (const auto outcome = permit_->complete(); !outcome.ok()) {
    ++fills_.counters_.fetch_failures;
    telemetry::log_warn("fetch of {} refused: {}", object_path_, describe(outcome.error()));
  }
  end();
}

void Fill::failed(Error error) {
  const auto self = shared_from_this();
  self_until_dropped_.reset();
  if (!permit_) return;
  ++fills_.counters_.fetch_failures;
  // The object may have failed already, for a reason of its own; that one stays.
  permit_->fail(object_->state() == ObjectState::failed ? object_->failure() : std::move(error));
  end();
}

void Fill::end() {
  permit_.reset();
  fills_.running_.erase(object_.get());
}

Fills::Fills(Store& store, UpstreamPool& pool, const Clock& clock, std::string upstream_host, std::string edge_id,
             std::string upstream_secret)
    : store_(store),
      pool_(pool),
      clock_(clock),
      upstream_host_(std::move(upstream_host)),
      edge_id_(std::move(edge_id)),
      authorization_("Bearer " + std::move(upstream_secret)) {}

std::shared_ptr<Fill> Fills::begin(FillPermit permit, std::string_view object_path, std::string_view view,
                                   bool stored_is_stale) {
  const auto fill = std::make_shared<Fill>(*this, std::move(permit), object_path, view);
  running_.emplace(fill->object().get(), fill);
  stored_is_stale ? fill->fetch() : fill->load();
  return fill;
}

std::shared_ptr<Fill> Fills::find(const Object& object) const {
  const auto at = running_.find(&object);
  return at == running_.end() ? nullptr : at->second;
}

std::string Fills::request_text(std::string_view path, std::string_view method, std::string_view lines) const {
  return with_lines(http::RequestBuilder(method, path, upstream_host_)
                        .header("Reelway-Edge", edge_id_)
                        .header("Authorization", authorization_)
                        .header("Via", "1.1 " + edge_id_)
                        .finish(),
                    lines);
}

}  // namespace reelway::edge
