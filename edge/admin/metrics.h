#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/telemetry/metrics.h"
#include "edge/request/edge_server.h"

namespace reelway::edge {

// Every metric of reelway-edge, once; its page in docs/reference is generated from it.
std::span<const telemetry::MetricInfo> edge_metrics();

// What the page is gathered in, ring by ring.
struct GatheredMetrics {
  telemetry::MetricPage page;
  std::optional<StoreCounters> store;
};

// Adds what one ring counts; on its thread.
void gather_metrics(GatheredMetrics& gathered, EdgeServer& server);
// The Prometheus page, when all rings have been asked.
std::string metrics_page(GatheredMetrics& gathered);

}  // namespace reelway::edge
