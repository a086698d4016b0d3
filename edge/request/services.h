#pragma once

#include <string>

#include "common/base/clock.h"
#include "edge/policy/cors.h"
#include "edge/replica/rental_rights.h"
#include "edge/request/access_log.h"
#include "edge/request/counters.h"
#include "edge/request/fill.h"
#include "edge/request/prefetch.h"
#include "edge/request/relay.h"
#include "edge/request/ring_team.h"
#include "edge/request/running_requests.h"
#include "edge/request/site.h"
#include "edge/request/token_authority.h"
#include "edge/store/store.h"

namespace reelway::edge {

// What the steps of a request work with. Outlives every request.
struct Services {
  const RingSeat& seat;
  const Clock& clock;
  const std::string& edge_id;
  const CorsPolicy& cors;
  TokenAuthority& tokens;
  Store& store;
  Fills& fills;
  RentalRights& rights;
  Prefetch& prefetch;
  Relay& relay;
  RunningRequests& running;
  RequestCounters& counters;
  AccessLog* access_log;  // null when none is kept
  Site* site;             // null when only films are served
};

}  // namespace reelway::edge
