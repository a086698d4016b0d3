#include <optional>
#include <utility>

#include "common/base/check.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/conditional.h"
#include "edge/request/site_fetch.h"
#include "edge/request/site_steps.h"
#include "edge/request/stored_meta.h"

// The look-up of a site's request, until it is known where its answer comes from:
//
//   not for a cache (method, or preconditions that only the origin can judge) -> passed
//   found: a marker                  -> look up the variant
//          (the head of an object that lies in slices is found like any object; its slices are looked up by deliver)
//          fresh enough              -> hit
//          stale-while-revalidate    -> hit, and validated in the background
//          stale                     -> validated: fetched with its validators, by this request or another's fill
//   being fetched                    -> collapse, unless answers to this key were not shared of late: passed
//   not found                        -> fetch

namespace reelway::edge {
namespace {

// Of one request. A follower looks up again when the answer it waited for was another's only.
constexpr std::size_t kLookupsMax = 8;

bool may_use_store(const http::RequestHead& head) {
  const bool reads = head.method == http::Method::get || head.method == http::Method::head;
  const bool has_content = head.chunked || head.content_length.value_or(0) > 0;
  return reads && !has_content && !is_for_origin_only(head.headers);
}

Verdict overloaded(Request& request) {
  request.refuse({ErrorCode::overloaded, Side::self, true, "too many fetches are under way"});
  return Verdict::next;
}

std::unique_ptr<SiteFetch> make_fetch(Request& request) {
  RequestState& state = request.state();
  ResponseStream& stream = request.stream();
  const auto address = stream.peer_address();
  return std::make_unique<SiteFetch>(
      *request.services().site, *state.site,
      SiteFetch::Asked{stream.request(), stream.content(), address ? address->text() : std::string{}, state.key});
}

// Follows what a look-up found to be under way, or begins it.
void follow(Request& request, Lookup found, bool look_on_disk) {
  RequestState& state = request.state();
  Fills& fills = request.services().fills;
  std::shared_ptr<Fill> fill;
  state.leads = found.kind == Lookup::Kind::fill;
  state.site->came_late = !state.leads && found.object->state() != ObjectState::awaiting_head;
  if (state.leads) {
    fill = fills.begin(std::move(*found.permit), make_fetch(request), look_on_disk);
  } else if (found.kind == Lookup::Kind::following) {
    fill = fills.find(*found.object);
    CHECK(fill != nullptr);
  }
  request.follow(std::move(found.object), std::move(fill));
}

Verdict pass(Request& request, std::string_view forward, std::string_view detail = {}) {
  SiteState& site = *request.state().site;
  if (site.wish.only_if_cached) {
    request.refuse({ErrorCode::not_in_cache, Side::client, false, "the request says only-if-cached"});
    return Verdict::next;
  }
  Lookup found = request.services().store.pass(request.state().key);
  if (found.kind == Lookup::Kind::refused) return overloaded(request);
  ++request.services().site->counters.passed;
  site.passes = true;
  site.forward = forward;
  site.detail = detail;
  follow(request, std::move(found), false);
  return Verdict::next;
}

// Nothing when something has been found to look at.
std::optional<Verdict> find(Request& request) {
  RequestState& state = request.state();
  SiteState& site = *state.site;
  Lookup found = request.services().store.lookup(state.key);
  if (found.kind == Lookup::Kind::refused) return overloaded(request);
  if (found.kind == Lookup::Kind::following) {
    const bool alone = site.asks_alone || request.services().site->uncacheable.contains(site.primary_key);
    if (alone || ++site.lookups > kLookupsMax) return pass(request, "miss", "not shared");
  }
  site.forward = site.marker == nullptr ? "uri-miss" : "vary-miss";
  follow(request, std::move(found), true);
  return std::nullopt;
}

// The stored object stays what other requests find until the answer is there.
std::optional<Verdict> update(Request& request, const ReuseDecision& decision) {
  RequestState& state = request.state();
  SiteState& site = *state.site;
  site.stored = state.object;
  if (state.head_only) return pass(request, decision.forward_reason, decision.reason);
  Lookup found = request.services().store.lookup_for_update(state.key);
  if (found.kind == Lookup::Kind::refused || ++site.lookups > kLookupsMax) return overloaded(request);
  site.forward = decision.forward_reason;
  site.detail = decision.reason;
  follow(request, std::move(found), false);
  return std::nullopt;
}

void update_in_background(Request& request) {
  RequestState& state = request.state();
  Site& site = *request.services().site;
  if (site.background >= Site::kBackgroundMax) {
    ++site.counters.background_shed;
    return;
  }
  Lookup found = site.store.lookup_for_update(state.key);
  if (found.kind != Lookup::Kind::fill) return;  // it is under way
  state.site->stored = state.object;
  auto fetch = make_fetch(request);
  fetch->in_background();
  request.services().fills.begin(std::move(*found.permit), std::move(fetch), false);
  state.site->stored = nullptr;
}

Verdict hit(Request& request, const ReuseDecision& decision) {
  RequestState& state = request.state();
  if (decision.reuse == Reuse::fresh) {
    state.outcome = state.fill == nullptr ? CacheOutcome::hit_memory : CacheOutcome::hit_disk;
  } else {
    state.outcome = CacheOutcome::hit_stale;
    state.site->detail = decision.reason;
  }
  return Verdict::next;
}

// Nothing when the look-up goes on.
std::optional<Verdict> use(Request& request) {
  RequestState& state = request.state();
  const Object& object = *state.object;
  const ReuseDecision decision =
      decide_reuse(state.site->wish, freshness_of(object.meta()), request.services().clock.wall_ms());
  if (state.site->wish.only_if_cached && lies_in_slices(object.meta())) {
    request.refuse({ErrorCode::not_in_cache, Side::client, false, "it lies in slices, and some may not be here"});
    return Verdict::next;
  }
  switch (decision.reuse) {
    case Reuse::fresh:
    case Reuse::stale_allowed: return hit(request, decision);
    case Reuse::stale_while_revalidate:
      if (object.state() != ObjectState::complete) return Verdict::wait;
      update_in_background(request);
      return hit(request, decision);
    case Reuse::validate:
    case Reuse::fetch:
      if (object.state() != ObjectState::complete) return Verdict::wait;  // of its disk load
      return update(request, decision);
    case Reuse::only_if_cached_504:
      request.refuse({ErrorCode::not_in_cache, Side::client, false, std::string(decision.reason)});
      return Verdict::next;
  }
  return Verdict::next;
}

// False: the request's fields are too long for a key of their own.
bool look_for_variant(Request& request) {
  RequestState& state = request.state();
  SiteState& site = *state.site;
  site.marker = state.object;
  state.key = variant_key_of(site.marker->meta(), site.primary_key, request.stream().request().headers);
  request.follow(nullptr, nullptr);
  if (!state.key.empty()) return true;
  state.key = site.primary_key;
  return false;
}

std::optional<Verdict> look_at_found(Request& request) {
  RequestState& state = request.state();
  if (state.fill != nullptr && state.fill->source() == Fill::Source::undecided) return Verdict::wait;
  if (state.fill != nullptr && state.fill->source() == Fill::Source::upstream) return Verdict::next;
  if (state.object->state() == ObjectState::failed) {
    if (!state.leads) return Verdict::anew;  // it was not asked for because of another request's wish
    request.refuse(state.object->failure());
    return Verdict::next;
  }
  if (state.object->meta().status != 0) return use(request);
  if (!look_for_variant(request)) return pass(request, "vary-miss", "fields too long");
  return std::nullopt;
}

}  // namespace

void name_site_object(Request& request) {
  RequestState& state = request.state();
  const http::RequestHead& head = request.stream().request();
  SiteState& site = *state.site;
  site.wish = reuse_request(head.headers);
  site.primary_key =
      site_cache_key(head.headers.find("Host").value_or(request.services().site->upstream_name), head.target);
  state.key = site.primary_key;
}

Verdict lookup_site(Request& request) {
  RequestState& state = request.state();
  const http::RequestHead& head = request.stream().request();
  if (!std::exchange(state.site->was_judged, true) && !may_use_store(head)) {
    const bool reads = head.method == http::Method::get || head.method == http::Method::head;
    return pass(request, reads ? "request" : "method");
  }
  while (true) {
    std::optional<Verdict> verdict;
    if (state.object == nullptr) verdict = find(request);
    if (!verdict) verdict = look_at_found(request);
    if (verdict) return *verdict;
  }
}

}  // namespace reelway::edge
