#include "edge/admin/reference.h"

#include "common/base/error_reference.h"
#include "common/config/reference.h"
#include "edge/admin/metrics.h"
#include "edge/request/options.h"

namespace reelway::edge {

std::optional<std::string> reference_text(std::string_view page) {
  if (page == "errors") return error_reference();
  if (page == "config") return config::reference_page(edge_options(), "reelway-edge");
  if (page == "metrics") return telemetry::reference_page(edge_metrics(), "reelway-edge");
  return std::nullopt;
}

}  // namespace reelway::edge
