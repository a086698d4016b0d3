#include "common/base/check.h"
#include "edge/request/film_fetch.h"
#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

// Looks in memory and, by way of a fill, on disk. The step ends when it is known where the object comes from: memory,
// disk (its head is there, its body may still be on its way) or the upstream. A stored object that is no longer fresh
// is read to its end, because the upstream is then asked whether it is still good; until the answer is there it is what
// others find, and they follow.

namespace reelway::edge {
namespace {

Verdict overloaded(Request& request) {
  request.refuse({ErrorCode::overloaded, Side::self, true, "too many fetches are under way"});
  return Verdict::next;
}

// Follows what a look-up has found to be under way, or begins it: without `stored` on disk first.
void follow(Request& request, Lookup found, std::shared_ptr<Object> stored) {
  RequestState& state = request.state();
  Fills& fills = request.services().fills;
  std::shared_ptr<Fill> fill;
  state.leads = found.kind == Lookup::Kind::fill;
  if (state.leads) {
    const bool look_on_disk = stored == nullptr;
    auto fetch = std::make_unique<FilmFetch>(fills, FilmFetch::Asked{state.path.object_path, state.view, state.coding},
                                             std::move(stored));
    fill = fills.begin(std::move(*found.permit), std::move(fetch), look_on_disk);
  } else if (found.kind == Lookup::Kind::following) {
    fill = fills.find(*found.object);
    CHECK(fill != nullptr);
  }
  request.follow(std::move(found.object), std::move(fill));
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
  if (state.object == nullptr) {
    Lookup found = services.store.lookup(state.key);
    if (found.kind == Lookup::Kind::refused) return overloaded(request);
    follow(request, std::move(found), nullptr);
  }
  if (state.fill != nullptr && state.fill->source() == Fill::Source::undecided) return Verdict::wait;
  if (comes_from_upstream(state)) return Verdict::next;
  if (may_answer(*state.object, services.clock)) {
    state.outcome = state.fill == nullptr ? CacheOutcome::hit_memory : CacheOutcome::hit_disk;
    return Verdict::next;
  }
  if (state.object->state() != ObjectState::complete) return Verdict::wait;  // of its disk load
  state.stored_was_stale = true;
  Lookup update = services.store.lookup_for_update(state.key);
  if (update.kind == Lookup::Kind::refused) return overloaded(request);
  follow(request, std::move(update), state.object);
  return Verdict::next;
}

}  // namespace reelway::edge
