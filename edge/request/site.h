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
#include "edge/request/uncacheable_keys.h"
#include "edge/store/store.h"

namespace reelway::edge {

class Fills;

// What the steps of a site's request leave for each other.
struct SiteState {
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
  std::string interim;  // answers of 1xx that are still to be sent
};

struct SiteCounters {
  std::uint64_t passed = 0;            // fetched for one request alone
  std::uint64_t not_shared = 0;        // followed a fill whose answer turned out to be another's only
  std::uint64_t stood_in = 0;          // answered stale because the upstream failed
  std::uint64_t background_begun = 0;  // stale-while-revalidate
  std::uint64_t background_shed = 0;   // kBackgroundMax was reached
  std::uint64_t invalidated = 0;       // stored objects dropped by unsafe requests
};

// Serves what is no film: any site behind `site.upstreams`, by the rules of a shared cache. One ring thread.
struct Site {
  static constexpr std::size_t kBackgroundMax = 64;  // validations that no request waits for

  Store& store;
  Fills& fills;
  Upstream& pool;
  const Clock& clock;
  const std::string& edge_id;
  std::string upstream_name;  // stands in for the Host of a request without one
  // How long after its end of freshness an object stands in for an upstream that gives no answer at all.
  std::chrono::seconds stale_when_unreachable;
  UncacheableKeys uncacheable;
  // Of any object, wherever it is at home.
  std::function<void(const std::string& key)> erase;
  std::size_t background = 0;     // of them under way
  std::uint64_t generations = 0;  // of variants
  SiteCounters counters = {};
};

// Under which key the variant lies that a request selects; empty when its fields are too long to have one.
std::string variant_key_of(const ObjectMeta& marker, std::string_view primary_key, const http::HeaderList& headers);

}  // namespace reelway::edge
