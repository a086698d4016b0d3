#include "edge/policy/reuse.h"

#include <algorithm>

#include "common/http/cache_control.h"
#include "edge/policy/forward.h"

// RFC 9111 section 4, once the key and the variant agree:
//
//   fresh, and the request takes it         -> answer
//   stale, nothing forbids it, max-stale    -> answer
//   stale, within stale-while-revalidate    -> answer and validate
//   else                                    -> validate, or fetch when there is nothing to validate by
//
// Stale is forbidden by no-cache, must-revalidate, proxy-revalidate and s-maxage of the response (section 4.2.4).

namespace reelway::edge {
namespace {

std::int64_t stale_for_ms(const StoredFreshness& stored, std::int64_t now_ms) {
  return now_ms - stored.fresh_until_ms;  // negative while fresh
}

bool may_be_stale(const StoredFreshness& stored) {
  return !stored.must_revalidate && !stored.always_validate;
}

std::int64_t age_ms(const StoredFreshness& stored, std::int64_t now_ms) {
  return std::int64_t{stored.age_s} * 1000 + std::max<std::int64_t>(0, now_ms - stored.received_ms);
}

// An age of exactly max-age is too old, so that max-age=0, as a reload sends it, always asks.
bool is_older_than(const std::optional<std::uint32_t>& max_age_s, std::int64_t age) {
  return max_age_s && age >= std::int64_t{*max_age_s} * 1000;
}

// Why the request does not take a stored response that is fresh; empty when it does.
std::string_view objection(const ReuseRequest& request, const StoredFreshness& stored, std::int64_t now_ms) {
  if (request.no_cache) return "no-cache in the request";
  if (is_older_than(request.max_age_s, age_ms(stored, now_ms))) return "older than max-age in the request";
  if (request.min_fresh_s && -stale_for_ms(stored, now_ms) < std::int64_t{*request.min_fresh_s} * 1000) {
    return "not fresh for min-fresh of the request";
  }
  return {};
}

bool within(std::int64_t stale_ms, std::uint32_t allowed_s) {
  return stale_ms < std::int64_t{allowed_s} * 1000;
}

ReuseDecision ask_upstream(const ReuseRequest& request, const StoredFreshness& stored, std::string_view reason,
                           std::string_view forward_reason) {
  if (request.only_if_cached) return {Reuse::only_if_cached_504, "only-if-cached in the request", {}};
  return {stored.has_validator ? Reuse::validate : Reuse::fetch, reason, forward_reason};
}

}  // namespace

ReuseRequest reuse_request(const http::HeaderList& request) {
  ReuseRequest reuse;
  if (!request.find("Cache-Control")) {
    // Section 5.4: Pragma counts only where an HTTP/1.0 client had nothing else to say it with.
    const std::string pragma = joined_values(request, "Pragma");
    reuse.no_cache = http::list_contains(pragma, "no-cache");
    return reuse;
  }
  const http::CacheControl control = http::parse_cache_control(joined_values(request, "Cache-Control"));
  reuse.no_cache = control.no_cache;
  reuse.no_store = control.no_store;
  reuse.only_if_cached = control.only_if_cached;
  reuse.max_age_s = control.max_age_s;
  reuse.min_fresh_s = control.min_fresh_s;
  reuse.max_stale_s = control.max_stale_s;
  reuse.stale_if_error_s = control.stale_if_error_s.value_or(0);
  return reuse;
}

ReuseDecision decide_reuse(const ReuseRequest& request, const StoredFreshness& stored, std::int64_t now_ms) {
  if (stored.always_validate) return ask_upstream(request, stored, "no-cache in the response", "stale");
  const std::int64_t stale_ms = stale_for_ms(stored, now_ms);
  const std::string_view objects = objection(request, stored, now_ms);
  if (stale_ms < 0) {
    if (objects.empty()) return {Reuse::fresh, "fresh", {}};
    return ask_upstream(request, stored, objects, "request");
  }
  const bool too_old =
      request.no_cache || request.min_fresh_s || is_older_than(request.max_age_s, age_ms(stored, now_ms));
  if (may_be_stale(stored) && !too_old) {
    if (request.max_stale_s && (*request.max_stale_s == UINT32_MAX || within(stale_ms, *request.max_stale_s))) {
      return {Reuse::stale_allowed, "max-stale in the request", {}};
    }
    if (within(stale_ms, stored.stale_while_revalidate_s)) {
      return {Reuse::stale_while_revalidate, "stale-while-revalidate", "stale"};
    }
  }
  return ask_upstream(request, stored, "stale", "stale");
}

ReuseDecision decide_without_stored(const ReuseRequest& request) {
  if (request.only_if_cached) return {Reuse::only_if_cached_504, "only-if-cached in the request", {}};
  return {Reuse::fetch, "nothing stored", {}};
}

bool stale_if_error(const ReuseRequest& request, const StoredFreshness& stored, std::int64_t now_ms,
                    UpstreamTrouble trouble, std::uint32_t disconnected_s) {
  if (!may_be_stale(stored) || request.no_cache) return false;
  const std::int64_t stale_ms = stale_for_ms(stored, now_ms);
  if (within(stale_ms, std::max(stored.stale_if_error_s, request.stale_if_error_s))) return true;
  return trouble == UpstreamTrouble::unreachable && within(stale_ms, disconnected_s);
}

bool is_error_5xx(std::uint16_t status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

std::string describe(const StoredFreshness& stored, std::int64_t now_ms) {
  const std::int64_t fresh_on_arrival_s = (stored.fresh_until_ms - stored.received_ms) / 1000;
  const std::int64_t resident_s = std::max<std::int64_t>(0, now_ms - stored.received_ms) / 1000;
  std::string text = "lifetime " + std::to_string(fresh_on_arrival_s + stored.age_s) + " s - age on arrival " +
                     std::to_string(stored.age_s) + " s - in the store " + std::to_string(resident_s) + " s = ";
  const std::int64_t left_s = fresh_on_arrival_s - resident_s;
  if (left_s > 0) return text + "fresh for " + std::to_string(left_s) + " s";
  return text + "stale for " + std::to_string(-left_s) + " s";
}

}  // namespace reelway::edge
