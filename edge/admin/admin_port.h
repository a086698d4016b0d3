#pragma once

#include <functional>
#include <memory>

#include "edge/net/listener.h"
#include "edge/request/edge_rings.h"

namespace reelway::edge {

// The operator's port of an edge: metrics, state, explain, purge, drain and ready, each behind the credential. On the
// first ring; none of its answers takes long to make.
class AdminPort final : private ExchangeFactory {
 public:
  static Result<std::unique_ptr<AdminPort>> open(ring::Ring& ring, const Clock& clock, EdgeRings& rings,
                                                 std::function<void()> begin_drain);

  void start() { listener_->start(); }
  std::string address_text() const { return listener_->address_text(); }
  // Closes all connections; `closed` follows.
  void close(std::function<void()> closed);

 private:
  class AdminExchange;

  AdminPort(ring::Ring& ring, const Clock& clock, EdgeRings& rings, std::function<void()> begin_drain);
  std::unique_ptr<Exchange> make_exchange(ResponseStream& stream) override;

  ring::Ring& ring_;
  const Clock& clock_;
  EdgeRings& rings_;
  const std::function<void()> begin_drain_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace reelway::edge
