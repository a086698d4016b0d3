#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "common/ring/ring.h"

namespace reelway::edge {

class ClientTurn;

// Large pieces of bodies on their way to the kernel, a bounded number of bytes in each turn of the ring, first come
// first served. The kernel copies a send's bytes while it is submitted, so a few dozen of them at once would keep
// whoever asks for a playlist waiting for milliseconds; small answers do not come through here and leave before. One
// ring thread.
class LargeSends {
 public:
  static constexpr std::size_t kLargeBytes = 64 * 1024;      // from here on a piece is large
  static constexpr std::size_t kTurnBytesMax = 1024 * 1024;  // begun in one turn of the ring; one piece always is

  explicit LargeSends(ring::Ring& ring) : ring_(ring) {}
  ~LargeSends() { *alive_ = false; }
  LargeSends(const LargeSends&) = delete;
  LargeSends& operator=(const LargeSends&) = delete;

  // The turn's connection is told when its send is to begin.
  void add(ClientTurn& turn);
  void remove(ClientTurn& turn);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void begin_soon();
  void begin_some();

  ring::Ring& ring_;
  std::deque<ClientTurn*> waiting_;  // at most one of each connection
  bool will_begin_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for the deferred begin
};

}  // namespace reelway::edge
