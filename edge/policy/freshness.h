#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace reelway::edge {

// How widely RFC 9111 section 3 is taken.
//   film   behind a token: status 200 only, an explicit lifetime only, nothing that would have to be validated first
//   site   a general shared cache
enum class CachingRules : std::uint8_t { film, site };

// What of the request bears on storing its answer.
struct StoringRequest {
  CachingRules rules = CachingRules::film;
  http::Method method = http::Method::get;
  bool authorization = false;    // it carried an Authorization field (section 3.5)
  bool no_store = false;         // Cache-Control: no-store (section 5.2.1.5)
  std::int64_t request_ms = -1;  // wall time at which the request was sent, for the response delay; -1: not known
};

enum class LifetimeSource : std::uint8_t { none, targeted, s_maxage, max_age, expires, heuristic };
std::string_view lifetime_source_name(LifetimeSource source);  // "s-maxage", "CDN-Cache-Control" ...

// What RFC 9111 says about a response that has just arrived: may a shared cache store it, and until when may it
// answer from it. A response may be stored although it is not fresh: then it waits to be validated.
struct FreshnessVerdict {
  bool store = false;
  std::string_view reason;          // why it is not stored: for the log and for explain; empty when stored
  std::int64_t date_ms = 0;         // the response's Date, or the time it was received
  std::uint32_t age_s = 0;          // its age when it arrived (section 4.2.3)
  std::uint32_t lifetime_s = 0;     // from its generation on (section 4.2.1)
  std::int64_t fresh_until_ms = 0;  // wall time; equal to the time received when it arrives stale
  LifetimeSource lifetime_source = LifetimeSource::none;
  std::uint32_t stale_while_revalidate_s = 0;  // RFC 5861, both counted from fresh_until_ms
  std::uint32_t stale_if_error_s = 0;
  bool must_revalidate = false;  // must-revalidate, proxy-revalidate, s-maxage: never served stale
  bool always_validate = false;  // no-cache: validated before each use
  bool heuristic = false;
};

FreshnessVerdict judge_response(const StoringRequest& request, const http::ResponseHead& head,
                                std::int64_t received_ms);
// The answer to a film's request, which carries nothing of any client's.
FreshnessVerdict judge_response(const http::ResponseHead& head, std::int64_t received_ms);

// The Age field of an answer from the store, and what remains of its freshness; neither is ever negative.
std::uint32_t age_s(std::uint32_t age_at_arrival_s, std::int64_t received_ms, std::int64_t now_ms);
std::uint32_t fresh_for_s(std::int64_t fresh_until_ms, std::int64_t now_ms);

// "lifetime 300 s (max-age) - age on arrival 10 s = fresh for 290 s": for explain.
std::string describe(const FreshnessVerdict& verdict);

// For how long the player may keep what it gets by a token: no longer than it is fresh and than the token lives.
std::int64_t playback_max_age_s(std::uint32_t fresh_s, std::int64_t token_left_s);

}  // namespace reelway::edge
