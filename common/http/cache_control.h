#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reelway::http {

// The directives of RFC 9111 section 5.2 and RFC 5861, as one response (or request) carries them. Of a repeated
// directive the most restrictive holds.
struct CacheControl {
  bool no_store = false;
  bool no_cache = false;
  bool private_ = false;
  bool public_ = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool immutable = false;
  bool only_if_cached = false;
  std::optional<std::uint32_t> max_age_s;
  std::optional<std::uint32_t> s_maxage_s;
  std::optional<std::uint32_t> stale_while_revalidate_s;
  std::optional<std::uint32_t> stale_if_error_s;
  std::optional<std::uint32_t> min_fresh_s;
  std::optional<std::uint32_t> max_stale_s;  // UINT32_MAX: without an argument, however stale
};

CacheControl parse_cache_control(std::string_view field_value);

}  // namespace reelway::http
