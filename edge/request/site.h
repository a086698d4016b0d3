#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "edge/net/upstream.h"
#include "edge/policy/reuse.h"
#include "edge/policy/slices.h"
#include "edge/request/uncacheable_keys.h"
#include "edge/store/store.h"

namespace reelway::edge {

class Fills;
class SlicedBody;

// What the steps of a site's request leave for each other.
struct SiteState {
  SiteState();
  ~SiteState();

  ReuseRequest wish;
  std::string primary_key;         // RequestState::key becomes that of a variant when the answers vary
  bool was_judged = false;         // whether it may be answered from what is stored
  std::shared_ptr<Object> marker;  // that says by which fields they vary
  // Found, but not to be used without the upstream's word: asked about, and what stands in when that fails.
  std::shared_ptr<Object> stored;
  bool passes = false;      // the answer is this request's alone, and as the upstream gave it
  bool came_late = false;   // it follows a fill whose head had come already
  bool asks_alone = false;  // it follows no fill any more
  std::size_t lookups = 0;
  std::string_view forward;  // Cache-Status: why the upstream was asked (RFC 9211 section 2.2), a literal
  std::string_view detail;   // likewise; a literal
  std::uint16_t forward_status = 0;
  std::string interim;                 // answers of 1xx that are still to be sent
  bool began_anew = false;             // the object that it was to be answered from had changed
  std::unique_ptr<SlicedBody> slices;  // of an object whose body lies in them, from when it is to be sent
};

struct SiteCounters {
  std::uint64_t passed = 0;            // fetched for one request alone
  std::uint64_t not_shared = 0;        // followed a fill whose answer turned out to be another's only
  std::uint64_t stood_in = 0;          // answered stale because the upstream failed
  std::uint64_t background_begun = 0;  // stale-while-revalidate
  std::uint64_t background_shed = 0;   // kBackgroundMax was reached
  std::uint64_t invalidated = 0;       // stored objects dropped by unsafe requests
  std::uint64_t sliced = 0;            // answers of the upstream whose bodies were to lie in slices
  std::uint64_t slices_fetched = 0;    // of the upstream, those included that end a first answer early
  std::uint64_t slices_in_memory = 0;  // found there by a request
  std::uint64_t slices_followed = 0;   // being fetched or loaded for another request
  std::uint64_t slices_retried = 0;    // looked for again because they broke off
  std::uint64_t slices_changed = 0;    // answers which showed that the object is another one now
};

// Serves what is no film: any site behind `site.upstreams`, by the rules of a shared cache. One ring thread.
struct Site {
  static constexpr std::size_t kBackgroundMax = 64;  // validations that no request waits for
  // For how long what showed itself not to be had in slices is fetched whole.
  static constexpr std::chrono::seconds kUnsliceableKept{600};
  // An object that is seen to change twice within this time counts as one that is not to be had in slices.
  static constexpr std::chrono::seconds kChangeKept{600};
  static constexpr std::chrono::seconds kUncacheableKept{10};

  Store& store;
  Fills& fills;
  Upstream& pool;
  const Clock& clock;
  const std::string& edge_id;
  std::string upstream_name;  // stands in for the Host of a request without one
  // How long after its end of freshness an object stands in for an upstream that gives no answer at all.
  std::chrono::seconds stale_when_unreachable;
  SliceLimits slicing;
  UncacheableKeys uncacheable;
  UncacheableKeys unsliceable;
  UncacheableKeys changed_lately;
  // Of any object, wherever it is at home.
  std::function<void(const std::string& key)> erase;
  std::size_t background = 0;     // of them under way
  std::uint64_t generations = 0;  // of variants
  SiteCounters counters = {};
};

// Under which key the variant lies that a request selects; empty when its fields are too long to have one.
std::string variant_key_of(const ObjectMeta& marker, std::string_view primary_key, const http::HeaderList& headers);

}  // namespace reelway::edge
