#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "common/access/clip.h"
#include "origin/catalog/catalog.h"

namespace reelway::origin {

// The clips made lately, least recently used out first. Loop thread only.
class ClipVersions {
 public:
  static constexpr std::size_t kCountMax = 64;
  static constexpr std::uint64_t kBytesMax = 32ULL * 1024 * 1024;

  // Null when it is not here. `whole` is the film as it is now: what was made of another reading of it does not count.
  std::shared_ptr<const PublishedVersion> find(const std::shared_ptr<const PublishedVersion>& whole,
                                               const access::Clip& clip);
  void add(std::shared_ptr<const PublishedVersion> version, const access::Clip& clip);

 private:
  struct Entry {
    access::Clip clip;
    std::shared_ptr<const PublishedVersion> version;
  };
  std::list<Entry> recent_;  // most recently used first
  std::uint64_t bytes_ = 0;
};

}  // namespace reelway::origin
