#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

namespace reelway::edge {

// This request began the fill, which fetches by itself (fill.cc) and goes on when this request ends. Here it is only
// awaited, until the head of the answer is there or the fetch has failed.
Verdict step_fetch(Request& request) {
  RequestState& state = request.state();
  if (state.outcome != CacheOutcome::none) return Verdict::next;
  if (state.object->state() == ObjectState::awaiting_head) return Verdict::wait;
  if (state.site != nullptr) {
    state.outcome = fetched_outcome(state);
    return Verdict::next;
  }
  const bool confirmed = state.fill->upstream_status() == 304 && state.object->state() == ObjectState::complete;
  state.outcome = confirmed                ? CacheOutcome::validated
                  : state.stored_was_stale ? CacheOutcome::stale
                                           : CacheOutcome::miss;
  return Verdict::next;
}

}  // namespace reelway::edge
