#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/request/edge_server.h"

namespace reelway::edge {

// What the rings of an edge add up to.
struct StateTotals {
  struct Member {
    std::uint64_t connections = 0, calls = 0, failures = 0, gateway_errors = 0;
  };
  std::optional<StoreCounters> store;
  RightsCounters rights;
  FillCounters fills;
  std::uint64_t rings = 0, connections = 0, accepted = 0, requests = 0, fills_running = 0;
  std::uint64_t upstream_connections = 0, upstream_idle = 0, upstream_waiting = 0;
  std::vector<Member> members;  // of the films' upstreams, in the order of their report

  void add(EdgeServer& server);  // on its ring
};

// The JSON of GET /v1/state.
std::string state_json(EdgeServer& first, const StateTotals& totals, const Clock& clock);

}  // namespace reelway::edge
