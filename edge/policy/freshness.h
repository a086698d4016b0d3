#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace reelway::edge {

// What RFC 9111 says about a response that has just arrived: may a shared cache store it, and until when may it
// answer from it.
struct FreshnessVerdict {
  bool store = false;
  std::string_view reason;          // why it is not stored: for the log and for explain; empty when stored
  std::int64_t date_ms = 0;         // the response's Date, or the time it was received
  std::uint32_t age_s = 0;          // its age when it arrived (section 4.2.3, without the response delay)
  std::int64_t fresh_until_ms = 0;  // wall time; equal to the time received when it has no lifetime
};

FreshnessVerdict judge_response(const http::ResponseHead& head, std::int64_t received_ms);

// The Age field of an answer from the store, and what remains of its freshness; neither is ever negative.
std::uint32_t age_s(std::uint32_t age_at_arrival_s, std::int64_t received_ms, std::int64_t now_ms);
std::uint32_t fresh_for_s(std::int64_t fresh_until_ms, std::int64_t now_ms);

// Cache-Control for the player: the bytes are behind a token, so only the player's own cache may keep them, no
// longer than they are fresh and no longer than the token lives.
std::string playback_cache_control(std::uint32_t fresh_s, std::int64_t token_left_s);

}  // namespace reelway::edge
