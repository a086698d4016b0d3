#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "edge/store/disk_space.h"

namespace reelway::edge {

// The time after a start in which a thread beside the ring reads the records and builds what is kept of them in memory.
// RocksDB is asked directly meanwhile; what is changed is noted here and applied to the index when it is there. Bodies
// that wait to be written go on waiting, because only the index knows which slots are free.
class IndexLoading {
 public:
  using Changes = std::unordered_map<std::string, std::optional<PurgeMarks>>;  // none: removed

  bool is_under_way() const { return is_under_way_; }
  void removed(std::string_view key) { changes_.insert_or_assign(std::string(key), std::nullopt); }
  void marked(std::string_view key, PurgeMarks marks) { changes_.try_emplace(std::string(key), std::move(marks)); }
  // Whether RocksDB may have an object of this key that is to be found.
  bool may_have(std::string_view key) const {
    if (!is_under_way_ || was_lost_) return false;
    const auto at = changes_.find(std::string(key));
    return at == changes_.end() || at->second.has_value();
  }
  // What was recorded has been lost: nothing of it is to be believed.
  void lost() { was_lost_ = true; }
  bool was_lost() const { return was_lost_; }

  // Called when it has ended, however it did; at once when it has already.
  void when_ended(std::function<void()> ended) {
    if (!is_under_way_) return ended();
    when_ended_.push_back(std::move(ended));
  }
  Changes end() {
    is_under_way_ = false;
    return std::exchange(changes_, {});
  }
  void tell_ended() {
    for (auto& ended : std::exchange(when_ended_, {})) ended();
  }

  std::atomic<bool> stop = false;  // for the thread that reads: the store closes

 private:
  bool is_under_way_ = true;
  bool was_lost_ = false;
  Changes changes_;
  std::vector<std::function<void()>> when_ended_;
};

}  // namespace reelway::edge
