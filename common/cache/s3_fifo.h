#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/check.h"
#include "common/cache/ghost_queue.h"

// The S3-FIFO policy over keys and sizes, with a value carried per entry. Pure: no I/O, no clock, no randomness, and
// what it does depends only on the calls made, never on where a map puts its keys.
//
// An entry begins in the *small* queue (a tenth of the budget). There it must be touched twice to move on to the
// *main* queue; else it leaves, and its key becomes a *ghost*. An entry whose key is a ghost when it is inserted goes
// to main at once. In main, each touch (up to three are counted) buys one more round. So a scan of things asked for
// once flows through the small queue and leaves main alone.
//
// The policy never evicts by itself: the owner calls evict() until there is room, because only the owner knows what
// else counts towards its budget (fills in flight, slots that are not free yet).

namespace reelway::cache {

template <class Value>
class S3Fifo {
 public:
  struct Evicted {
    std::string key;
    std::uint64_t bytes = 0;
    bool was_touched = false;
    Value value;
  };

  // `budget_bytes` sets the size of the queues' shares and of the ghost memory; it is not enforced here.
  explicit S3Fifo(std::uint64_t budget_bytes)
      : small_target_bytes_(budget_bytes / 10), ghosts_(budget_bytes - budget_bytes / 10) {}
  S3Fifo(const S3Fifo&) = delete;
  S3Fifo& operator=(const S3Fifo&) = delete;

  // The key must not be present.
  Value& insert(std::string_view key, std::uint64_t bytes, Value value) {
    return add(std::string(key), bytes, std::move(value), ghosts_.take(key) ? main_ : small_);
  }
  // For what is known to have been worth keeping, such as the contents found at a restart.
  Value& insert_in_main(std::string key, std::uint64_t bytes, Value value) {
    return add(std::move(key), bytes, std::move(value), main_);
  }
  void reserve(std::size_t entries) { nodes_.reserve(entries); }

  // Null when absent. Touching is separate, so that a look leaves no trace.
  Value* find(std::string_view key) {
    const auto at = nodes_.find(key);
    return at == nodes_.end() ? nullptr : &at->second.value;
  }
  Value* find_and_touch(std::string_view key) {
    const auto at = nodes_.find(key);
    if (at == nodes_.end()) return nullptr;
    at->second.was_touched = true;
    at->second.touches = std::min(at->second.touches + 1, kTouchesMax);
    return &at->second.value;
  }

  // Leaves no ghost: the owner dropped it for a reason that says nothing of its worth.
  std::optional<Value> remove(std::string_view key) {
    const auto at = nodes_.find(key);
    if (at == nodes_.end()) return std::nullopt;
    return take(at->second).value;
  }

  // Its size has changed by so much; nothing when absent.
  void resize(std::string_view key, std::int64_t growth_bytes) {
    const auto at = nodes_.find(key);
    if (at == nodes_.end()) return;
    Node& node = at->second;
    node.bytes += static_cast<std::uint64_t>(growth_bytes);
    node.queue->bytes += static_cast<std::uint64_t>(growth_bytes);
  }

  // A walk over all entries in steps, between which anything may be changed. Each step visits those in the next
  // `buckets` of the table; false when it was the last. An entry that stays through the whole walk is visited at least
  // once: when the table has grown, the walk begins again. `visit(key, value)` may change no entries.
  struct Cursor {
    std::size_t bucket = 0;
    std::size_t bucket_count = 0;
  };
  template <class Visit>
  bool visit_some(Cursor& cursor, std::size_t buckets, Visit visit) {
    if (cursor.bucket_count != nodes_.bucket_count()) cursor = {0, nodes_.bucket_count()};
    const std::size_t end = std::min(cursor.bucket + buckets, cursor.bucket_count);
    for (; cursor.bucket < end; ++cursor.bucket) {
      for (auto at = nodes_.begin(cursor.bucket); at != nodes_.end(cursor.bucket); ++at) {
        visit(std::string_view(at->first), at->second.value);
      }
    }
    return end < cursor.bucket_count;
  }

  // Ghosts stay.
  void clear() {
    nodes_.clear();
    small_ = {};
    main_ = {};
  }

  // The policy's next victim of those for which may_evict(value) holds; nullopt when none was found among the
  // entries looked at. Entries that may not go are put back at the young end of their queue; at most kSkipsMax of
  // a queue are looked at in one call, so that a call's cost has a limit when nearly everything is in use.
  template <class MayEvict>
  std::optional<Evicted> evict(MayEvict may_evict) {
    small_.skips_left = std::min(small_.count, kSkipsMax);
    main_.skips_left = std::min(main_.count, kSkipsMax);
    while (Queue* queue = next_to_evict_from()) {
      Node& oldest = *queue->oldest;
      const bool in_small = queue == &small_;
      if (!std::invoke(may_evict, std::as_const(oldest.value))) {
        --queue->skips_left;
        move(oldest, *queue);
      } else if (in_small && oldest.touches >= kTouchesToMain) {
        oldest.touches = 0;
        move(oldest, main_);
        ++main_.skips_left;
      } else if (!in_small && oldest.touches > 0) {
        --oldest.touches;
        move(oldest, main_);
      } else {
        if (in_small) ghosts_.remember(*oldest.key, oldest.bytes);
        return take(oldest);
      }
    }
    return std::nullopt;
  }
  std::optional<Evicted> evict() {
    return evict([](const Value&) { return true; });
  }

  std::uint64_t bytes() const { return small_.bytes + main_.bytes; }
  std::uint64_t small_bytes() const { return small_.bytes; }
  std::uint64_t main_bytes() const { return main_.bytes; }
  std::size_t entries() const { return nodes_.size(); }
  std::size_t ghosts() const { return ghosts_.size(); }

  static constexpr std::size_t kSkipsMax = 256;

 private:
  static constexpr std::uint32_t kTouchesMax = 3;
  static constexpr std::uint32_t kTouchesToMain = 2;

  struct Queue;
  struct Node {
    const std::string* key = nullptr;  // the map's own
    std::uint64_t bytes = 0;
    std::uint32_t touches = 0;  // unspent
    bool was_touched = false;
    Queue* queue = nullptr;
    Node* older = nullptr;
    Node* younger = nullptr;
    Value value;
  };
  struct Queue {
    Node* oldest = nullptr;
    Node* youngest = nullptr;
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    std::size_t skips_left = 0;  // in the running evict()
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };

  // Small while it is over its share, else main; the other one when this one has nothing that may go.
  Queue* next_to_evict_from() {
    const bool small_first = small_.bytes >= small_target_bytes_;
    Queue& first = small_first ? small_ : main_;
    Queue& second = small_first ? main_ : small_;
    if (first.count > 0 && first.skips_left > 0) return &first;
    if (second.count > 0 && second.skips_left > 0) return &second;
    return nullptr;
  }

  Value& add(std::string key, std::uint64_t bytes, Value value, Queue& queue) {
    const auto [at, is_new] =
        nodes_.try_emplace(std::move(key), Node{nullptr, bytes, 0, false, nullptr, nullptr, nullptr, std::move(value)});
    CHECK(is_new);
    at->second.key = &at->first;
    link(at->second, queue);
    return at->second.value;
  }

  void link(Node& node, Queue& queue) {
    node.queue = &queue;
    node.older = queue.youngest;
    node.younger = nullptr;
    (queue.youngest != nullptr ? queue.youngest->younger : queue.oldest) = &node;
    queue.youngest = &node;
    queue.bytes += node.bytes;
    ++queue.count;
  }

  void unlink(Node& node) {
    Queue& queue = *node.queue;
    (node.older != nullptr ? node.older->younger : queue.oldest) = node.younger;
    (node.younger != nullptr ? node.younger->older : queue.youngest) = node.older;
    CHECK(queue.bytes >= node.bytes && queue.count > 0);
    queue.bytes -= node.bytes;
    --queue.count;
  }

  void move(Node& node, Queue& to) {
    unlink(node);
    link(node, to);
  }

  Evicted take(Node& node) {
    unlink(node);
    const auto at = nodes_.find(*node.key);
    Evicted evicted{at->first, node.bytes, node.was_touched, std::move(node.value)};
    nodes_.erase(at);
    return evicted;
  }

  std::uint64_t small_target_bytes_;
  GhostQueue ghosts_;
  Queue small_;
  Queue main_;
  std::unordered_map<std::string, Node, Hash, std::equal_to<>> nodes_;
};

}  // namespace reelway::cache
