#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace reelway::edge {

// What a request says about answers from a cache (RFC 9111 section 5.2.1; Pragma where there is no Cache-Control).
struct ReuseRequest {
  bool no_cache = false;
  bool no_store = false;
  bool only_if_cached = false;
  std::optional<std::uint32_t> max_age_s;
  std::optional<std::uint32_t> min_fresh_s;
  std::optional<std::uint32_t> max_stale_s;  // UINT32_MAX: however stale
  std::uint32_t stale_if_error_s = 0;
};
ReuseRequest reuse_request(const http::HeaderList& request);

// What is kept about a stored response's freshness. Wall times; `age_s` is its age at received_ms.
struct StoredFreshness {
  std::int64_t received_ms = 0;
  std::uint32_t age_s = 0;
  std::int64_t fresh_until_ms = 0;
  std::uint32_t stale_while_revalidate_s = 0;
  std::uint32_t stale_if_error_s = 0;
  bool must_revalidate = false;
  bool always_validate = false;
  bool has_validator = false;  // an ETag or a Last-Modified
};

enum class Reuse : std::uint8_t {
  fresh,          // answer from it
  stale_allowed,  // answer from it: the request's max-stale takes it (or, with stale_if_error(), an error does)
  stale_while_revalidate,  // answer from it, and validate it in the background
  validate,                // ask upstream whether it is still good, then answer
  fetch,                   // as validate, but there is nothing to validate it by
  only_if_cached_504,      // would need the upstream, and the request forbids that: 504
};
struct ReuseDecision {
  Reuse reuse = Reuse::fetch;
  std::string_view reason;  // a literal: "no-cache in the request", for Cache-Status's detail and explain
  // Cache-Status's fwd (RFC 9211 section 2.2): "stale", or "request" when a fresh answer was refused by the request.
  std::string_view forward_reason;
};

// Section 4: whether a stored response that the request selects may answer it at `now_ms`.
ReuseDecision decide_reuse(const ReuseRequest& request, const StoredFreshness& stored, std::int64_t now_ms);
// With nothing stored: fetch, or 504 for only-if-cached.
ReuseDecision decide_without_stored(const ReuseRequest& request);

// Why the upstream gave nothing better.
enum class UpstreamTrouble : std::uint8_t {
  unreachable,  // no connection, no answer, cut: section 4.2.4 lets a cache that is disconnected answer stale
  error_5xx,    // 500, 502, 503 or 504: only stale-if-error (RFC 5861 section 4) allows it
};
// Whether the stored response may stand in. Without stale-if-error an unreachable upstream is bridged for
// `disconnected_s` after fresh_until_ms, 0 for not at all. Never when it must be revalidated or the request says
// no-cache.
bool stale_if_error(const ReuseRequest& request, const StoredFreshness& stored, std::int64_t now_ms,
                    UpstreamTrouble trouble, std::uint32_t disconnected_s);
bool is_error_5xx(std::uint16_t status);  // of those that UpstreamTrouble::error_5xx names

// "lifetime 300 s - age on arrival 10 s - in the store 42 s = fresh for 248 s", or "... = stale for 3 s".
std::string describe(const StoredFreshness& stored, std::int64_t now_ms);

}  // namespace reelway::edge
