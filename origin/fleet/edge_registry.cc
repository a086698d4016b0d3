#include "origin/fleet/edge_registry.h"

namespace reelway::origin {

Result<void> EdgeRegistry::heard(std::string_view edge_id, std::string_view header) {
  auto state = parse_edge_state(header);
  const auto now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  if (!state) {
    ++malformed_;
    return std::move(state).error();
  }
  auto found = entries_.find(edge_id);
  if (found == entries_.end()) {
    if (entries_.size() >= kEdgesMax) forget_locked(now);
    // Only more edges than may have credentials could fill it: those that are heard keep their places.
    if (entries_.size() >= kEdgesMax) return {};
    found = entries_.emplace(std::string(edge_id), Entry{}).first;
  }
  // What a poll does not say is not known any more.
  found->second = {std::move(state).value(), now};
  return {};
}

void EdgeRegistry::forget_locked(Clock::Monotonic now) {
  std::erase_if(entries_, [now](const auto& entry) { return now - entry.second.heard > kForgottenAfter; });
}

EdgeRegistry::Standing EdgeRegistry::standing(const Entry& entry, Clock::Monotonic now) {
  if (now - entry.heard > kHeardMax) return Standing::silent;
  if (entry.state.draining) return Standing::draining;
  if (!entry.state.staleness) return Standing::starting;
  return *entry.state.staleness > kStalenessMax ? Standing::stale : Standing::healthy;
}

std::vector<EdgeRegistry::Edge> EdgeRegistry::edges() const {
  const auto now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  std::vector<Edge> edges;
  edges.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    if (now - entry.heard > kForgottenAfter) continue;
    const auto ago = std::chrono::floor<std::chrono::milliseconds>(now - entry.heard);
    edges.push_back({id, entry.state, standing(entry, now), ago});
  }
  return edges;
}

std::vector<std::string> EdgeRegistry::healthy_urls() const {
  std::vector<std::string> urls;
  for (Edge& edge : edges()) {
    if (edge.standing == Standing::healthy && !edge.state.url.empty()) urls.push_back(std::move(edge.state.url));
  }
  return urls;
}

std::uint64_t EdgeRegistry::malformed_count() const {
  const std::lock_guard lock(mutex_);
  return malformed_;
}

std::string_view name_of(EdgeRegistry::Standing standing) {
  switch (standing) {
    case EdgeRegistry::Standing::healthy: return "healthy";
    case EdgeRegistry::Standing::draining: return "draining";
    case EdgeRegistry::Standing::stale: return "stale";
    case EdgeRegistry::Standing::starting: return "starting";
    case EdgeRegistry::Standing::silent: break;
  }
  return "silent";
}

}  // namespace reelway::origin
