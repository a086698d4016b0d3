#include "origin/request/clip_versions.h"

#include <algorithm>

namespace reelway::origin {

std::shared_ptr<const PublishedVersion> ClipVersions::find(const std::shared_ptr<const PublishedVersion>& whole,
                                                           const access::Clip& clip) {
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Entry& entry) {
    return entry.clip == clip && entry.version->whole->content_id == whole->content_id &&
           entry.version->title == whole->title && entry.version->version == whole->version;
  });
  if (found == recent_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found);
  return found->version;
}

void ClipVersions::add(std::shared_ptr<const PublishedVersion> version, const access::Clip& clip) {
  if (find(version->whole, clip) != nullptr || version->index_memory_bytes > kBytesMax) return;
  bytes_ += version->index_memory_bytes;
  recent_.push_front({clip, std::move(version)});
  while (bytes_ > kBytesMax || recent_.size() > kCountMax) {
    bytes_ -= recent_.back().version->index_memory_bytes;
    recent_.pop_back();
  }
}

}  // namespace reelway::origin
