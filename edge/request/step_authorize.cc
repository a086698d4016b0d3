#include "edge/request/steps.h"

namespace reelway::edge {

// A remembered token is decided at once; a new one waits for its signature check beside the ring, and one whose key is
// not known for a poll of the keys.
Verdict step_authorize(Request& request) {
  RequestState& state = request.state();
  if (!state.token_asked) {
    state.token_asked = true;
    state.token_decision = request.services().tokens.decide(state.path.token, state.path.title, request.token_waiter());
  }
  if (!state.token_decision) return Verdict::wait;
  if (!state.token_decision->ok()) request.refuse(state.token_decision->error());
  return Verdict::next;
}

}  // namespace reelway::edge
