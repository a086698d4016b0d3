#include "edge/request/site_fetch.h"
#include "edge/request/site_steps.h"
#include "edge/request/sliced_body.h"

namespace reelway::edge {
namespace {

bool is_hit(CacheOutcome outcome) {
  return outcome == CacheOutcome::hit_memory || outcome == CacheOutcome::hit_disk || outcome == CacheOutcome::hit_stale;
}

// Whether the slices of the object that are not in the store are fetched for this request only: it forbids storing, or
// it is authorized and the object may not be shared among such requests.
bool reads_alone(Request& request, const ObjectMeta& whole) {
  if (request.state().site->wish.no_store) return true;
  return request.stream().request().headers.find("Authorization") && !may_share_authorized(whole);
}

}  // namespace

SiteState::SiteState() = default;
SiteState::~SiteState() = default;

void begin_slices(Request& request) {
  RequestState& state = request.state();
  SiteState& site = *state.site;
  if (site.slices != nullptr) return;
  const SlicedBody::Reader reader{request.object_reader(), request.stream(), site.primary_key,
                                  reads_alone(request, state.object->meta())};
  site.slices = std::make_unique<SlicedBody>(*request.services().site, state.object, reader);
}

void take_slice_source(RequestState& state) {
  SiteState& site = *state.site;
  const CacheOutcome source = site.slices->source();
  if (!is_hit(state.outcome) || source == CacheOutcome::hit_memory) return;
  if (source == CacheOutcome::hit_disk) {
    if (state.outcome == CacheOutcome::hit_memory) state.outcome = source;
    return;
  }
  state.outcome = source;
  state.stored = site.slices->is_stored();
  site.forward = "partial";
  site.forward_status = site.slices->upstream_status();
}

bool begin_anew(RequestState& state) {
  SiteState& site = *state.site;
  const bool has_changed = site.slices->failure()->code == ErrorCode::upstream_changed;
  if (!has_changed || site.began_anew) return false;
  site.began_anew = true;
  site.slices.reset();
  state.outcome = CacheOutcome::none;
  state.stored = false;
  return true;
}

}  // namespace reelway::edge
