#pragma once

#include "edge/net/upstream_call.h"

namespace reelway::edge {

// Whoever carries calls to where their answers come from: the connections to one address (upstream_pool.h), several
// upstreams of which one is chosen (upstream_group.h), or a layer over these (continued_fetches.h).
class Upstream {
 public:
  // The call may fail from inside this. It must stay until it has ended, failed or said that it wants no more.
  virtual void begin(UpstreamCall& call) = 0;

 protected:
  ~Upstream() = default;
};

}  // namespace reelway::edge
