#pragma once

#include <string_view>

#include "common/rights/entitlement.h"

// Whether a title may be played at all, as edges learn it: a record among those of the entitlements, under an id that
// its name gives. So it comes the same way, is in the same digest, and is there after the same restarts. A title that
// was never taken off has none. Pure.

namespace reelway::rights {

// The same everywhere and for ever: it stands in stored replicas.
EntitlementId title_mark_id(std::string_view title);
Record title_mark(bool withdrawn);
// Whether this record takes a title off.
bool is_withdrawal(const Record& record);

}  // namespace reelway::rights
