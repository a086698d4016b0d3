#pragma once

#include "edge/policy/conditional.h"
#include "edge/policy/forward.h"
#include "edge/policy/freshness.h"
#include "edge/policy/reuse.h"
#include "edge/store/object.h"

// Between what policy/ judges and what store/ keeps.

namespace reelway::edge {

Validators validators_of(const ObjectMeta& meta);  // views into it
StoredFreshness freshness_of(const ObjectMeta& meta);
StoredHead head_of(const ObjectMeta& meta);
void take_head(ObjectMeta& meta, StoredHead head);
void take_freshness(ObjectMeta& meta, const FreshnessVerdict& verdict, std::int64_t received_ms);

}  // namespace reelway::edge
