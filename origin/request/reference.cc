#include "origin/request/reference.h"

#include "common/base/error_reference.h"
#include "common/config/reference.h"
#include "origin/request/metrics.h"
#include "origin/request/options.h"

namespace reelway::origin {

std::optional<std::string> reference_text(std::string_view page) {
  if (page == "errors") return error_reference();
  if (page == "config") return config::reference_page(origin_options(), "reelway-origin");
  if (page == "metrics") return telemetry::reference_page(origin_metrics(), "reelway-origin");
  return std::nullopt;
}

}  // namespace reelway::origin
