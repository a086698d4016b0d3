#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

namespace reelway::cache {

// Remembers which keys were evicted lately, as 64-bit hashes, oldest forgotten first. A false match (two keys with
// one hash) only lets an entry skip probation, so hashes suffice. Charged by the bytes the entries had, at least
// kChargeMin each, which bounds the number of hashes as well.
class GhostQueue {
 public:
  static constexpr std::uint64_t kChargeMin = 1024;

  explicit GhostQueue(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  void remember(std::string_view key, std::uint64_t bytes);
  bool take(std::string_view key);  // whether it was remembered; it no longer is
  std::size_t size() const { return sequences_.size(); }

 private:
  struct Ghost {
    std::uint64_t hash;
    std::uint64_t sequence;
    std::uint64_t charge;
  };

  void forget_oldest();

  std::uint64_t budget_bytes_;
  std::uint64_t charged_bytes_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::deque<Ghost> queue_;                                     // oldest first; holds taken ones until their turn
  std::unordered_map<std::uint64_t, std::uint64_t> sequences_;  // hash -> sequence of its live ghost
};

}  // namespace reelway::cache
