#include "edge/replica/rental_rights.h"

namespace reelway::edge {

Result<void> count_decision(RightsCounters& counters, Result<void> decision) {
  if (decision.ok()) {
    ++counters.allowed;
    return decision;
  }
  switch (decision.error().code) {
    case ErrorCode::rental_unknown:
    case ErrorCode::overloaded:
    case ErrorCode::timed_out:
    case ErrorCode::upstream_failed:
    case ErrorCode::shutting_down: ++counters.unknown; break;
    case ErrorCode::rights_too_stale: ++counters.too_stale; break;
    default: ++counters.denied;
  }
  return decision;
}

}  // namespace reelway::edge
