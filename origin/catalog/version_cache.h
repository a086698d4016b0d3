#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"

namespace reelway::origin {

// Published versions in memory, bounded by count and bytes, least recently used out first. Thread-safe.
class VersionCache {
 public:
  using Version = std::shared_ptr<const PublishedVersion>;
  VersionCache(std::size_t count_max, std::uint64_t bytes_max) : count_max_(count_max), bytes_max_(bytes_max) {}

  Version find(const std::string& name);
  // The entry, or what `load` makes of it. Of several callers one loads, and the others wait for its result.
  Result<Version> find_or_load(const std::string& name, const std::function<Result<Version>()>& load);
  void drop(const std::string& name);

 private:
  struct Entry {
    std::string name;
    Version version;
  };
  struct Loading;

  Version find_locked(const std::string& name);
  void keep_locked(const std::string& name, Version version);

  const std::size_t count_max_;
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::map<std::string, std::list<Entry>::iterator> places_;
  std::map<std::string, std::shared_ptr<Loading>> loading_;
  std::uint64_t bytes_ = 0;
};

}  // namespace reelway::origin
