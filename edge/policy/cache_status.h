#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reelway::edge {

// How this edge came by its answer.
enum class CacheOutcome : std::uint8_t {
  none,  // the store was not asked: refused before, or a preflight
  hit_memory,
  hit_disk,
  miss,       // fetched for this request
  stale,      // fetched for this request, because what was stored was no longer fresh
  collapsed,  // another request was fetching it: read along
};

// The value of Cache-Status (RFC 9211): "edge-a; hit; detail=memory", "edge-a; fwd=miss; stored",
// "edge-a; fwd=miss; collapsed". `stored` tells whether the fetched answer is kept. Empty for `none`.
std::string cache_status(std::string_view edge_id, CacheOutcome outcome, bool stored);

std::string_view outcome_name(CacheOutcome outcome);  // for metrics and the access log

}  // namespace reelway::edge
