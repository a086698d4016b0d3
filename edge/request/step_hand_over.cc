#include "common/base/check.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/forward.h"
#include "edge/request/site_steps.h"
#include "edge/request/steps.h"

// Names the object that is asked for, and leads the request to the ring where it is at home. All that belongs to one
// name is there together: its variants, its fills and who waits for them, so nothing further is shared between rings.

namespace reelway::edge {
namespace {

void name_object(Request& request) {
  RequestState& state = request.state();
  if (state.site != nullptr) return name_site_object(request);
  const access::View& view = request.grant().view;
  if (access::varies_by_view(view, state.path.object_path)) state.view = access::view_id(view);
  const http::HeaderList& headers = request.stream().request().headers;
  std::optional<std::string> accepted;
  if (headers.find("Accept-Encoding")) accepted = joined_values(headers, "Accept-Encoding");
  state.coding = coding_for(state.path.object_path, accepted);
  state.key = cache_key(state.path.object_path, state.view, state.coding);
}

}  // namespace

Verdict step_hand_over(Request& request) {
  RequestState& state = request.state();
  if (state.handed_over != nullptr) return state.handed_over_ended ? Verdict::done : Verdict::wait;
  name_object(request);
  const RingSeat& seat = request.services().seat;
  // Both codings of a text are at home together.
  const std::string home_key =
      state.site != nullptr ? state.key : cache_key(state.path.object_path, state.view, Coding::identity);
  if (seat.is_home_of(home_key)) return Verdict::next;
  CHECK(!state.is_guest);
  request.hand_over(seat.team->home_of(home_key));
  return Verdict::wait;
}

}  // namespace reelway::edge
