#include "origin/request/rendered_cache.h"

#include "common/base/check.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kEntryBytes = 512;  // what an entry costs beside its body and its path, roughly

}  // namespace

std::uint64_t RenderedCache::cost(const Entry& entry) {
  const Rendered& rendered = *entry.rendered;
  return kEntryBytes + 2 * entry.path.size() + rendered.plain.body->size() +
         (rendered.gzip.body ? rendered.gzip.body->size() : 0);
}

std::shared_ptr<const Rendered> RenderedCache::find(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->rendered;
}

void RenderedCache::add(std::string path, std::shared_ptr<const Rendered> rendered) {
  if (by_path_.contains(path)) return;
  Entry entry{std::move(path), std::move(rendered)};
  const std::uint64_t bytes = cost(entry);
  if (bytes > bytes_max_) return;
  while (bytes_ + bytes > bytes_max_) drop_last();
  recent_.push_front(std::move(entry));
  by_path_[recent_.front().path] = recent_.begin();
  bytes_ += bytes;
}

void RenderedCache::drop_last() {
  CHECK(!recent_.empty());
  bytes_ -= cost(recent_.back());
  by_path_.erase(recent_.back().path);
  recent_.pop_back();
}

}  // namespace reelway::origin
