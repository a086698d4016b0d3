#include "edge/request/steps.h"

// Four questions, the cheapest first: is the token good for this title now, is what it asks for within what was
// rented, is the title on, and does the rental hold. The first is answered at once for a remembered token; a new one
// waits for its signature check beside the ring, and one whose key is not known for a poll of the keys. The last two
// are looks into the replica in memory, for every request; only a rental that is not there yet waits, for one question
// to the origin. A guest has passed all of them at the ring that it came from. A site's request has none: who may see
// what is between its client and its origin. A preview (staff's look at a version) does not depend on the title being
// on.

namespace reelway::edge {
namespace {

Verdict authorize_rental(Request& request) {
  RequestState& state = request.state();
  const Grant& grant = request.grant();
  if (!grant.entitlement) {
    request.hold_rental();
    return Verdict::next;
  }
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
  if (request.grant().view.preview != 0) return Verdict::next;
  // Asked once: while the rental is waited for, whoever sweeps looks at the title again.
  if (!state.rental_asked) {
    if (auto on = request.services().rights.check_title(state.path.title); !on.ok()) {
      request.refuse(on.error());
      return Verdict::next;
    }
  }
  return authorize_rental(request);
}

}  // namespace reelway::edge
