#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

namespace reelway::edge {

// Another request's fill brings the object: this one reads along, from the head on, without a fetch of its own.
Verdict step_collapse(Request& request) {
  RequestState& state = request.state();
  if (state.outcome != CacheOutcome::none || state.leads) return Verdict::next;
  if (state.object->state() == ObjectState::awaiting_head) return Verdict::wait;
  if (state.site != nullptr && !may_share(request)) {
    ++request.services().site->counters.not_shared;
    return Verdict::anew;
  }
  state.outcome = CacheOutcome::collapsed;
  return Verdict::next;
}

}  // namespace reelway::edge
