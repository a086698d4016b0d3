#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

namespace reelway::edge {

// The fill has judged the answer by now: failed, passed on only, or to be kept (policy/freshness.cc says which, the
// store keeps it once it is complete and its checksum is right).
Verdict step_store(Request& request) {
  RequestState& state = request.state();
  if (state.site != nullptr && state.fill != nullptr) state.site->forward_status = state.fill->upstream_status();
  if (state.object->state() == ObjectState::failed) {
    if (!stand_in(request)) request.refuse(state.object->failure());
    return Verdict::next;
  }
  const bool fetched = state.outcome == CacheOutcome::miss || state.outcome == CacheOutcome::stale ||
                       state.outcome == CacheOutcome::validated;
  state.stored = fetched && state.fill->kept();
  return Verdict::next;
}

}  // namespace reelway::edge
