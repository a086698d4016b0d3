#include "origin/catalog/version_cache.h"

#include <condition_variable>
#include <optional>

namespace reelway::origin {

struct VersionCache::Loading {
  std::condition_variable done;
  std::optional<Result<Version>> result;
};

VersionCache::Version VersionCache::find(const std::string& name) {
  const std::lock_guard hold(mutex_);
  return find_locked(name);
}

Result<VersionCache::Version> VersionCache::find_or_load(const std::string& name,
                                                         const std::function<Result<Version>()>& load) {
  std::unique_lock hold(mutex_);
  if (Version version = find_locked(name)) return version;
  if (const auto place = loading_.find(name); place != loading_.end()) {
    const std::shared_ptr<Loading> other = place->second;
    other->done.wait(hold, [&] { return other->result.has_value(); });
    return *other->result;
  }
  const auto mine = std::make_shared<Loading>();
  loading_.emplace(name, mine);
  hold.unlock();
  Result<Version> loaded = load();
  hold.lock();
  loading_.erase(name);
  mine->result = loaded;
  mine->done.notify_all();
  if (loaded.ok()) keep_locked(name, *loaded);
  return loaded;
}

void VersionCache::drop(const std::string& name) {
  const std::lock_guard hold(mutex_);
  const auto place = places_.find(name);
  if (place == places_.end()) return;
  bytes_ -= place->second->version->index_memory_bytes;
  entries_.erase(place->second);
  places_.erase(place);
}

VersionCache::Version VersionCache::find_locked(const std::string& name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->version;
}

void VersionCache::keep_locked(const std::string& name, Version version) {
  bytes_ += version->index_memory_bytes;
  entries_.push_front({name, std::move(version)});
  places_[name] = entries_.begin();
  while (entries_.size() > count_max_ || (bytes_ > bytes_max_ && entries_.size() > 1)) {
    bytes_ -= entries_.back().version->index_memory_bytes;
    places_.erase(entries_.back().name);
    entries_.pop_back();
  }
}

}  // namespace reelway::origin
