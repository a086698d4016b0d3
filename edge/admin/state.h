#pragma once

#include <string>

#include "edge/request/edge_server.h"

namespace reelway::edge {

// The JSON of GET /v1/state.
std::string state_json(EdgeServer& server, const Clock& clock);

}  // namespace reelway::edge
