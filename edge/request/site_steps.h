#pragma once

#include "edge/policy/cache_status.h"
#include "edge/request/request.h"

namespace reelway::edge {

// What the steps do for a site's request where that differs from a film's.

// Under which key it lies, before it is known by what its answers vary.
void name_site_object(Request& request);
Verdict lookup_site(Request& request);
// The fill that this request follows has its head, or has failed: whether this request may have the answer too. If
// not, it is to be looked up anew.
bool may_share(Request& request);
// The fill that this request began has its head, or has failed.
CacheOutcome fetched_outcome(const RequestState& state);
// The upstream failed: answers with what was found stale, where that is allowed. False: it is not.
bool stand_in(Request& request);
// The object in hand lies in slices (SlicedBody), of which this request is to send some.
void begin_slices(Request& request);
// Some of the first of them is there: the request is a hit only if that was in the store, too.
void take_slice_source(RequestState& state);
// The slices that the request was to be answered from are not to be had. True: because the object has changed, so the
// look-up begins anew.
bool begin_anew(RequestState& state);

}  // namespace reelway::edge
