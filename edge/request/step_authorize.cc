#include "edge/request/steps.h"

// Three questions, the cheapest first: is the token good for this title now, is what it asks for within what was
// rented, and does the rental hold. The first is answered at once for a remembered token; a new one waits for its
// signature check beside the ring, and one whose key is not known for a poll of the keys. The last is a look into the
// replica in memory, for every request; only a rental that is not there yet waits, for one question to the origin.
// A guest has passed all three at the ring that it came from. A site's request has neither: who may see what is between
// its client and its origin.

namespace reelway::edge {
namespace {

Verdict authorize_rental(Request& request) {
  RequestState& state = request.state();
  const Grant& grant = request.grant();
  if (!grant.entitlement) return Verdict::next;
  if (!state.rental_asked) {
    state.rental_asked = true;
    state.rental_decision = request.services().rights.decide(*grant.entitlement, request.rights_waiter());
  }
  if (!state.rental_decision) return Verdict::wait;
  if (state.rental_decision->ok()) {
    request.hold_rental();
  } else {
    request.refuse(state.rental_decision->error());
  }
  return Verdict::next;
}

}  // namespace

Verdict step_authorize(Request& request) {
  RequestState& state = request.state();
  if (state.site != nullptr || state.is_guest) return Verdict::next;
  if (!state.token_asked) {
    state.token_asked = true;
    state.token_decision = request.services().tokens.decide(state.path.token, state.path.title, request.token_waiter());
  }
  if (!state.token_decision) return Verdict::wait;
  if (!state.token_decision->ok()) {
    request.refuse(state.token_decision->error());
    return Verdict::next;
  }
  if (auto seen = access::check_path_in_view(request.grant().view, state.path.object_path); !seen.ok()) {
    request.refuse(seen.error());
    return Verdict::next;
  }
  return authorize_rental(request);
}

}  // namespace reelway::edge
