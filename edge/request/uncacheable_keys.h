#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"

namespace reelway::edge {

// Keys that something has shown itself not to work for: it is not tried again for a while. One thread.
class UncacheableKeys {
 public:
  static constexpr std::size_t kKeysMax = 4096;  // one more: the oldest is forgotten

  UncacheableKeys(const Clock& clock, std::chrono::seconds kept) : clock_(clock), kept_(kept) {}

  void add(std::string_view key);
  void remove(std::string_view key);
  bool contains(std::string_view key);
  std::size_t size() const { return until_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };

  const Clock& clock_;
  std::chrono::seconds kept_;
  std::unordered_map<std::string, Clock::Monotonic, Hash, std::equal_to<>> until_;
  std::deque<std::pair<std::string, Clock::Monotonic>> oldest_;  // may name keys that were removed or renewed since
};

}  // namespace reelway::edge
