#include "edge/request/fill.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/http/serialize.h"
#include "common/telemetry/log.h"
#include "edge/request/answer.h"

// The life of a fill:  look on disk -> there: the store completes the object, the fill ends
//                                   -> not there, or damaged part-way: fetch -> head -> body -> complete or failed
//
// A conditional fetch whose 304 is about another body than the stored one is made once more, without the condition.
//
// The object and its readers are the store's; the fill moves bytes into it, and its Fetch says what is asked of the
// upstream and how the answer's head is to be taken.
//
// When the head shows a large object, that object is complete with it, as one without a body, and the fill goes on with
// the first slice; what would follow that is not taken (slice_fetch.h fetches it).

namespace reelway::edge {
namespace {

constexpr std::size_t kDroppedBytesMax = 16 * 1024;

}  // namespace

Fill::Fill(Fills& fills, FillPermit permit, std::unique_ptr<Fetch> fetch)
    : fills_(fills), permit_(std::move(permit)), object_(permit_->object()), fetch_(std::move(fetch)) {}

void Fill::remove_watcher(Watcher& watcher) {
  if (telling_) {
    std::replace(watchers_.begin(), watchers_.end(), &watcher, static_cast<Watcher*>(nullptr));
  } else {
    std::erase(watchers_, &watcher);
  }
}

// A watcher may leave, or others come, while they are told.
template <typename Tell>
void Fill::tell_watchers(const Tell& tell) {
  const bool outermost = !std::exchange(telling_, true);
  for (std::size_t i = 0, count = watchers_.size(); i < count; ++i) {
    if (watchers_[i] != nullptr) tell(*watchers_[i]);
  }
  if (!outermost) return;
  telling_ = false;
  std::erase(watchers_, nullptr);
}

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
    self->begin_fetch();
  });
}

void Fill::begin_fetch() {
  const auto self = shared_from_this();
  auto request = fetch_->request_text();
  if (!request.ok()) {
    shared_ = false;
    permit_->fail(std::move(request).error());
    return end();
  }
  const bool is_first = !std::exchange(fetching_, true);
  request_text_ = std::move(request).value();
  ++fills_.counters_.fetches;
  fetch_->pool().begin(*this);
  if (is_first) tell_watchers([](Watcher& watcher) { watcher.fetch_began(); });
}

void Fill::interim(const http::ResponseHead& head) {
  const auto self = shared_from_this();
  tell_watchers([&head](Watcher& watcher) { watcher.interim(head); });
}

bool Fill::head(const http::ResponseHead& head) {
  const auto self = shared_from_this();
  HeadVerdict verdict = fetch_->take(head, *permit_);
  upstream_status_ = head.status;
  kept_ = verdict.keep;
  shared_ = verdict.shared;
  switch (verdict.kind) {
    case HeadVerdict::Kind::body:
      if (!kept_) ++fills_.counters_.not_kept;
      permit_->head(std::move(verdict.meta), kept_);
      return true;
    case HeadVerdict::Kind::sliced: return go_on_with_slice(verdict);
    case HeadVerdict::Kind::not_modified: {
      ++fills_.counters_.not_modified;
      const auto outcome = permit_->not_modified(verdict.stored, std::move(verdict.meta));
      if (!outcome.ok()) ++fills_.counters_.fetch_failures;
      return end_at_head(0);
    }
    case HeadVerdict::Kind::ask_again: asks_again_ = true; return true;
    case HeadVerdict::Kind::refused:
      ++fills_.counters_.fetch_failures;
      permit_->fail(std::move(*verdict.error));
      return end_at_head(head.content_length.value_or(kDroppedBytesMax + 1));
  }
  return false;
}

// Those who wait for the object look for the slice as soon as they are woken, so it is found as this fill's by then.
bool Fill::go_on_with_slice(HeadVerdict& verdict) {
  if (verdict.slice) fills_.running_.emplace(verdict.slice->object().get(), shared_from_this());
  permit_->head(std::move(verdict.meta), true);
  (void)permit_->complete();
  if (!verdict.slice) return end_at_head(kDroppedBytesMax + 1);
  fills_.running_.erase(object_.get());
  permit_.emplace(std::move(*verdict.slice));
  object_ = permit_->object();
  ends_with_slice_ = true;
  permit_->head(std::move(verdict.slice_meta), true);
  return true;
}

// What is left of the answer is read and dropped when it is short, because the connection can then be used again.
bool Fill::end_at_head(std::uint64_t body_bytes) {
  end();
  if (body_bytes > kDroppedBytesMax) return false;
  dropped_.resize(kDroppedBytesMax);
  self_until_dropped_ = shared_from_this();
  return true;
}

std::span<std::uint8_t> Fill::room() {
  if (asks_again_) return {};
  return permit_ ? permit_->room() : dropped_;
}

bool Fill::advanced(std::size_t bytes) {
  if (!permit_) return true;
  fills_.counters_.fetched_bytes += bytes;
  permit_->advance(bytes);
  if (ends_with_slice_ && object_->bytes_present() == object_->meta().length) {
    const auto self = shared_from_this();
    complete();
    return false;
  }
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
  std::exchange(asks_again_, false) ? begin_fetch() : complete();
}

void Fill::complete() {
  if (const auto outcome = permit_->complete(); !outcome.ok()) {
    ++fills_.counters_.fetch_failures;
    telemetry::log_warn("fetch of {} refused: {}", fetch_->name(), describe(outcome.error()));
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

Fills::Fills(Store& store, Upstream& pool, const Clock& clock, std::string upstream_host, std::string edge_id,
             std::string upstream_secret)
    : store_(store),
      pool_(pool),
      clock_(clock),
      upstream_host_(std::move(upstream_host)),
      edge_id_(std::move(edge_id)),
      authorization_("Bearer " + std::move(upstream_secret)) {}

std::shared_ptr<Fill> Fills::begin(FillPermit permit, std::unique_ptr<Fetch> fetch, bool look_on_disk) {
  const auto fill = std::make_shared<Fill>(*this, std::move(permit), std::move(fetch));
  running_.emplace(fill->object().get(), fill);
  look_on_disk ? fill->load() : fill->begin_fetch();
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
