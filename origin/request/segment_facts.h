#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/bytes.h"

namespace reelway::origin {

// What is known of a computed segment before its first byte is sent: found out once, by making it.
struct SegmentFacts {
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
  Bytes notes;  // of hls::SegmentMaker
};

// The facts found lately, by path. A published version never changes, so an entry is dropped only for room, least
// recently used first. Loop thread only.
class SegmentFactsCache {
 public:
  static constexpr std::uint64_t kBytesMax = 32ULL * 1024 * 1024;

  explicit SegmentFactsCache(std::uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}
  const SegmentFacts* find(std::string_view path);  // valid until the next add()
  void add(std::string path, SegmentFacts facts);

 private:
  struct Entry {
    std::string path;
    SegmentFacts facts;
  };
  static std::uint64_t cost(const Entry& entry);

  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::list<Entry> recent_;  // most recently used first; the keys below are views into its paths
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_path_;
};

}  // namespace reelway::origin
