#pragma once

#include <span>
#include <string>

#include "common/telemetry/metrics.h"
#include "edge/request/edge_server.h"

namespace reelway::edge {

// Every metric of reelway-edge, once; its page in docs/reference is generated from it.
std::span<const telemetry::MetricInfo> edge_metrics();

// The Prometheus page, gathered now from the counters of the parts.
std::string metrics_page(EdgeServer& server, const ring::Ring& ring, const Clock& clock);

}  // namespace reelway::edge
