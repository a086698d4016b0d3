#include "origin/request/segment_facts.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kEntryBytes = 256;  // what an entry costs beside its path and its notes, roughly

}  // namespace

std::uint64_t SegmentFactsCache::cost(const Entry& entry) {
  return kEntryBytes + entry.path.size() + entry.facts.notes.size();
}

const SegmentFacts* SegmentFactsCache::find(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return &found->second->facts;
}

void SegmentFactsCache::add(std::string path, SegmentFacts facts) {
  if (by_path_.contains(path)) return;
  Entry entry{std::move(path), std::move(facts)};
  const std::uint64_t bytes = cost(entry);
  if (bytes > bytes_max_) return;
  while (bytes_ + bytes > bytes_max_) {
    bytes_ -= cost(recent_.back());
    by_path_.erase(recent_.back().path);
    recent_.pop_back();
  }
  recent_.push_front(std::move(entry));
  by_path_[recent_.front().path] = recent_.begin();
  bytes_ += bytes;
}

}  // namespace reelway::origin
