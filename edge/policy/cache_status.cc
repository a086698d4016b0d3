#include "edge/policy/cache_status.h"

namespace reelway::edge {

std::string cache_status(std::string_view edge_id, CacheOutcome outcome, bool stored) {
  std::string text(edge_id);
  switch (outcome) {
    case CacheOutcome::none: return {};
    case CacheOutcome::hit_memory: return text += "; hit; detail=memory";
    case CacheOutcome::hit_disk: return text += "; hit; detail=disk";
    case CacheOutcome::miss: text += "; fwd=miss"; break;
    case CacheOutcome::stale: text += "; fwd=stale"; break;
    case CacheOutcome::collapsed: return text += "; fwd=miss; collapsed";
  }
  if (stored) text += "; stored";
  return text;
}

std::string_view outcome_name(CacheOutcome outcome) {
  switch (outcome) {
    case CacheOutcome::none: return "none";
    case CacheOutcome::hit_memory: return "hit_memory";
    case CacheOutcome::hit_disk: return "hit_disk";
    case CacheOutcome::miss: return "miss";
    case CacheOutcome::stale: return "stale";
    case CacheOutcome::collapsed: return "collapsed";
  }
  return "none";
}

}  // namespace reelway::edge
