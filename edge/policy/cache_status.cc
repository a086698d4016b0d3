#include "edge/policy/cache_status.h"

#include <algorithm>

namespace reelway::edge {
namespace {

// A string of RFC 8941 section 3.3.3. What cannot stand in one is left out whole: a part of a key is no key.
void append_string(std::string& text, std::string_view name, std::string_view value) {
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (value.empty() || !printable) return;
  text.append("; ").append(name).append("=\"");
  for (char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += '"';
}

}  // namespace

std::string cache_status(const CacheStatus& status) {
  std::string text(status.edge_id);
  if (status.hit) text += "; hit";
  if (!status.forward.empty()) text.append("; fwd=").append(status.forward);
  if (status.forward_status != 0) text.append("; fwd-status=").append(std::to_string(status.forward_status));
  if (status.ttl_s) text.append("; ttl=").append(std::to_string(*status.ttl_s));
  if (status.stored) text += "; stored";
  if (status.collapsed) text += "; collapsed";
  append_string(text, "key", status.key);
  append_string(text, "detail", status.detail);
  return text;
}

std::string_view cache_status_of_film(CacheOutcome outcome, bool stored) {
  switch (outcome) {
    case CacheOutcome::none: return {};
    case CacheOutcome::hit_memory: return "; hit; detail=memory";
    case CacheOutcome::hit_disk: return "; hit; detail=disk";
    case CacheOutcome::miss: return stored ? "; fwd=miss; stored" : "; fwd=miss";
    case CacheOutcome::stale: return stored ? "; fwd=stale; stored" : "; fwd=stale";
    case CacheOutcome::collapsed: return "; fwd=miss; collapsed";
    case CacheOutcome::validated: return stored ? "; fwd=stale; fwd-status=304; stored" : "; fwd=stale; fwd-status=304";
    case CacheOutcome::hit_stale:
    case CacheOutcome::passed: break;  // not of films
  }
  return {};
}

std::string_view outcome_name(CacheOutcome outcome) {
  switch (outcome) {
    case CacheOutcome::none: return "none";
    case CacheOutcome::hit_memory: return "hit_memory";
    case CacheOutcome::hit_disk: return "hit_disk";
    case CacheOutcome::miss: return "miss";
    case CacheOutcome::stale: return "stale";
    case CacheOutcome::collapsed: return "collapsed";
    case CacheOutcome::hit_stale: return "hit_stale";
    case CacheOutcome::validated: return "validated";
    case CacheOutcome::passed: return "passed";
  }
  return "none";
}

}  // namespace reelway::edge
