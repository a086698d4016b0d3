#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/quality/report.h"
#include "origin/store/control_store.h"

// Reports of quality in the control store. Blocking; thread-safe, as the store is.

namespace reelway::origin {

// Keeps a report under its title and version, in place of a former one, whose waivers stay with what is the same
// (keep_waivers). Sets checked_at_ms. store_conflict when another report or waiver came first: call again.
Result<QualityReport> save_report(ControlStore& store, const Clock& clock, QualityReport report);

// quality_report_missing when the version has not been checked.
Result<QualityReport> load_report(ControlStore& store, std::string_view title, std::string_view version);

struct WaiveRequest {
  std::string title, version;
  std::string finding;  // its id
  std::string by;       // who takes responsibility
  std::string reason;
};
// Waives one finding, of any severity; a waiver in place is replaced. http_bad_request without a name and a reason of
// at most kReasonBytesMax bytes; quality_report_missing, quality_finding_not_found, store_conflict.
Result<QualityReport> waive(ControlStore& store, const Clock& clock, const WaiveRequest& request);

// Whether a version may be published: quality_blocked names the findings that hold it. A version without a report was
// not checked, and is not held.
Result<void> check_publishable(ControlStore& store, std::string_view title, std::string_view version);

}  // namespace reelway::origin
