#include "common/base/check.h"
#include "edge/policy/cache_key.h"
#include "edge/request/film_fetch.h"
#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

// Looks in memory and, by way of a fill, on disk. The step ends when it is known where the object comes from: memory,
// disk (its head is there, its body may still be on its way) or the upstream. A stored object that is no longer fresh
// is dropped and the look-up begins again; what it then finds is a fill, of this request or of another.

namespace reelway::edge {
namespace {

// What a look-up finds may have gone stale while its disk read was awaited. With lifetimes of a second or more that
// does not happen this often in turn.
constexpr std::size_t kLookupsMax = 8;

// False: refused.
bool find(Request& request) {
  RequestState& state = request.state();
  Services& services = request.services();
  Lookup found = services.store.lookup(state.key);
  if (found.kind == Lookup::Kind::refused || ++state.lookups > kLookupsMax) {
    request.refuse({ErrorCode::overloaded, Side::self, true, "too many fetches are under way"});
    return false;
  }
  std::shared_ptr<Fill> fill;
  state.leads = found.kind == Lookup::Kind::fill;
  if (state.leads) {
    auto fetch = std::make_unique<FilmFetch>(services.fills, state.path.object_path, state.view);
    fill = services.fills.begin(std::move(*found.permit), std::move(fetch), !state.stored_was_stale);
  } else if (found.kind == Lookup::Kind::following) {
    fill = services.fills.find(*found.object);
    CHECK(fill != nullptr);
  }
  request.follow(std::move(found.object), std::move(fill));
  return true;
}

bool comes_from_upstream(const RequestState& state) {
  return state.fill != nullptr && state.fill->source() == Fill::Source::upstream;
}

bool may_answer(const Object& object, const Clock& clock) {
  return object.state() == ObjectState::failed || object.meta().fresh_until_ms > clock.wall_ms();
}

}  // namespace

Verdict step_lookup(Request& request) {
  RequestState& state = request.state();
  if (state.site != nullptr) return lookup_site(request);
  Services& services = request.services();
  if (state.key.empty()) {
    if (access::varies_by_view(state.path.object_path)) state.view = access::view_id(request.grant().view);
    state.key = cache_key(state.path.object_path, state.view);
  }
  while (true) {
    const bool found_now = state.object == nullptr;
    if (found_now && !find(request)) return Verdict::next;
    if (state.fill != nullptr && state.fill->source() == Fill::Source::undecided) return Verdict::wait;
    if (comes_from_upstream(state)) return Verdict::next;
    if (may_answer(*state.object, services.clock)) {
      state.outcome = state.fill == nullptr ? CacheOutcome::hit_memory : CacheOutcome::hit_disk;
      return Verdict::next;
    }
    // Erased only when it was found just now: after a wait another request may have replaced it already.
    state.stored_was_stale = true;
    if (found_now) services.store.erase(state.key);
    request.follow(nullptr, nullptr);
  }
}

}  // namespace reelway::edge
