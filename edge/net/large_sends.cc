#include "edge/net/large_sends.h"

#include <algorithm>
#include <utility>

#include "edge/net/client_connection.h"
#include "edge/net/client_turn.h"

namespace reelway::edge {

void LargeSends::add(ClientTurn& turn) {
  waiting_.push_back(&turn);
  begin_soon();
}

void LargeSends::remove(ClientTurn& turn) {
  std::erase(waiting_, &turn);
}

// At the end of this turn of the ring, behind all small answers; what is left then, at the end of the next one, which
// does not sleep meanwhile.
void LargeSends::begin_soon() {
  if (waiting_.empty() || std::exchange(will_begin_, true)) return;
  ring_.defer([this, alive = alive_] {
    if (*alive) begin_some();
  });
}

void LargeSends::begin_some() {
  will_begin_ = false;
  for (std::size_t bytes = 0; !waiting_.empty() && bytes < kTurnBytesMax;) {
    ClientTurn& turn = *waiting_.front();
    waiting_.pop_front();
    bytes += turn.unsent_bytes;
    turn.connection->send_now();
  }
  begin_soon();
}

}  // namespace reelway::edge
