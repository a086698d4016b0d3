#include "common/cache/ghost_queue.h"

#include <algorithm>

// Model: a queue of (hash, sequence) in order of eviction and a map that says which sequence of a hash is live.
// Taking a ghost removes it from the map only; its place in the queue, and its charge, go when its turn comes. So
// the charge bounds the queue itself, not just the live part.

namespace reelway::cache {
namespace {

// FNV-1a with a final mix: equal on every machine and in every run, as a deterministic policy needs.
std::uint64_t stable_hash(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : key) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash * 0x9e3779b97f4a7c15;
}

}  // namespace

void GhostQueue::remember(std::string_view key, std::uint64_t bytes) {
  const std::uint64_t charge = std::max(bytes, kChargeMin);
  if (charge > budget_bytes_) return;
  const Ghost ghost{stable_hash(key), next_sequence_++, charge};
  queue_.push_back(ghost);
  sequences_[ghost.hash] = ghost.sequence;
  charged_bytes_ += charge;
  while (charged_bytes_ > budget_bytes_) forget_oldest();
}

bool GhostQueue::take(std::string_view key) {
  return sequences_.erase(stable_hash(key)) > 0;
}

void GhostQueue::forget_oldest() {
  const Ghost ghost = queue_.front();
  queue_.pop_front();
  charged_bytes_ -= ghost.charge;
  const auto live = sequences_.find(ghost.hash);
  if (live != sequences_.end() && live->second == ghost.sequence) sequences_.erase(live);
}

}  // namespace reelway::cache
