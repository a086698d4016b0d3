#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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
  validated,  // no longer fresh, and the upstream said that it is still good
  // Of sites only:
  hit_stale,  // answered although it was no longer fresh
  passed,     // not for a cache, or for this request alone
};
inline constexpr std::size_t kCacheOutcomes = static_cast<std::size_t>(CacheOutcome::passed) + 1;

// What follows the edge's name in a film's Cache-Status (RFC 9211): "; hit; detail=memory", "; fwd=miss; stored",
// "; fwd=miss; collapsed". `stored` tells whether the fetched answer is kept. Empty for `none`: there is no such field.
std::string_view cache_status_of_film(CacheOutcome outcome, bool stored);

// The whole value, with all that RFC 9211 section 2 knows, for the answers of sites. Views of whatever is at hand.
struct CacheStatus {
  std::string_view edge_id;
  bool hit = false;
  std::string_view forward;  // why it was forwarded; empty: it was not
  std::uint16_t forward_status = 0;
  std::optional<std::int64_t> ttl_s;
  bool stored = false;
  bool collapsed = false;
  std::string_view key;
  std::string_view detail;
};
std::string cache_status(const CacheStatus& status);

std::string_view outcome_name(CacheOutcome outcome);  // for metrics and the access log

}  // namespace reelway::edge
