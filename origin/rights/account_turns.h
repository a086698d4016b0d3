#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>

namespace reelway::origin {

// Decisions about one account that were in each other's way are made one after the other: in a crowd of devices each
// would otherwise begin anew again and again, the slowest until it gives up. They are right without it, by what their
// transactions compare, so accounts may share a turn and another origin need not know of it. Those that wait are
// at most the threads that decide.
class AccountTurns {
 public:
  // Waits for those before. One at a time by a thread.
  std::unique_lock<std::mutex> take(std::string_view account) {
    return std::unique_lock(turns_[std::hash<std::string_view>()(account) % kTurns]);
  }

 private:
  static constexpr std::size_t kTurns = 64;
  std::array<std::mutex, kTurns> turns_;
};

}  // namespace reelway::origin
