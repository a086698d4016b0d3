#include "edge/policy/vary.h"
#include "edge/request/site_fetch.h"
#include "edge/request/site_steps.h"
#include "edge/request/stored_meta.h"

namespace reelway::edge {
namespace {

bool is_own_variant(Request& request, const ObjectMeta& meta, const SiteState& site) {
  if (meta.vary.empty()) return true;
  const auto key = variant_key(site.primary_key, meta.vary, request.stream().request().headers);
  return key && meta.key.size() > key->size() && meta.key.starts_with(*key) && meta.key[key->size()] == '\n';
}

}  // namespace

// A request that waited for the head asked before the answer was made, so the answer is as fresh to it as to the one
// that fetched. One that came later is in the place of one that finds it stored.
bool may_share(Request& request) {
  RequestState& state = request.state();
  SiteState& site = *state.site;
  if (!state.fill->shared()) return false;
  if (state.object->state() == ObjectState::failed) return true;
  const ObjectMeta& meta = state.object->meta();
  if (!is_own_variant(request, meta, site)) return false;
  if (!site.came_late) return true;
  const auto now_ms = request.services().clock.wall_ms();
  const Reuse reuse = decide_reuse(site.wish, freshness_of(meta), now_ms).reuse;
  site.asks_alone = reuse != Reuse::fresh && reuse != Reuse::stale_allowed;
  return !site.asks_alone;
}

CacheOutcome fetched_outcome(const RequestState& state) {
  if (state.site->passes) return CacheOutcome::passed;
  if (state.site->stored == nullptr) return CacheOutcome::miss;
  const bool confirmed = state.fill->upstream_status() == 304 && state.object->state() == ObjectState::complete;
  return confirmed ? CacheOutcome::validated : CacheOutcome::stale;
}

bool stand_in(Request& request) {
  RequestState& state = request.state();
  if (state.site == nullptr || state.site->stored == nullptr || state.fill == nullptr) return false;
  SiteState& site = *state.site;
  const bool answered = state.fill->upstream_status() != 0;
  const auto trouble = answered ? UpstreamTrouble::error_5xx : UpstreamTrouble::unreachable;
  const auto bridged_s = static_cast<std::uint32_t>(request.services().site->stale_when_unreachable.count());
  const auto now_ms = request.services().clock.wall_ms();
  if (!stale_if_error(site.wish, freshness_of(site.stored->meta()), now_ms, trouble, bridged_s)) return false;
  ++request.services().site->counters.stood_in;
  site.detail = answered ? "stale-if-error" : "upstream unreachable";
  state.outcome = CacheOutcome::hit_stale;
  request.follow(site.stored, nullptr);
  return true;
}

}  // namespace reelway::edge
