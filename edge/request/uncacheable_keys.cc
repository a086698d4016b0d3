#include "edge/request/uncacheable_keys.h"

namespace reelway::edge {

void UncacheableKeys::add(std::string_view key) {
  const auto now = clock_.monotonic();
  const auto until = now + kept_;
  until_.insert_or_assign(std::string(key), until);
  oldest_.emplace_back(key, until);
  while (until_.size() > kKeysMax || oldest_.size() > 2 * kKeysMax || oldest_.front().second <= now) {
    const auto at = until_.find(oldest_.front().first);
    if (at != until_.end() && at->second == oldest_.front().second) until_.erase(at);
    oldest_.pop_front();
  }
}

void UncacheableKeys::remove(std::string_view key) {
  if (const auto at = until_.find(key); at != until_.end()) until_.erase(at);
}

bool UncacheableKeys::contains(std::string_view key) {
  const auto at = until_.find(key);
  if (at == until_.end()) return false;
  if (at->second > clock_.monotonic()) return true;
  until_.erase(at);
  return false;
}

}  // namespace reelway::edge
