#include "edge/policy/response_control.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/http/structured_field.h"
#include "edge/policy/forward.h"

namespace reelway::edge {
namespace {

using http::CacheControl;
using http::StructuredMember;
using http::StructuredType;

constexpr std::int64_t kSecondsMax = 2147483648;  // RFC 9111 section 1.2.2

constexpr std::array<std::pair<std::string_view, std::optional<std::uint32_t> CacheControl::*>, 4> kSeconds = {{
    {"max-age", &CacheControl::max_age_s},
    {"s-maxage", &CacheControl::s_maxage_s},
    {"stale-while-revalidate", &CacheControl::stale_while_revalidate_s},
    {"stale-if-error", &CacheControl::stale_if_error_s},
}};
constexpr std::array<std::pair<std::string_view, bool CacheControl::*>, 8> kFlags = {{
    {"no-store", &CacheControl::no_store},
    {"no-cache", &CacheControl::no_cache},
    {"private", &CacheControl::private_},
    {"public", &CacheControl::public_},
    {"must-revalidate", &CacheControl::must_revalidate},
    {"proxy-revalidate", &CacheControl::proxy_revalidate},
    {"must-understand", &CacheControl::must_understand},
    {"immutable", &CacheControl::immutable},
}};

// False when a directive that is known has a value of another type. A string after no-cache and private lists fields;
// that counts as the plain form, which restricts more. "?0" is as if the directive were not there.
bool apply(CacheControl& control, const StructuredMember& member) {
  for (const auto& [name, seconds] : kSeconds) {
    if (member.key != name) continue;
    if (member.type != StructuredType::integer || member.integer < 0) return false;
    control.*seconds = static_cast<std::uint32_t>(std::min(member.integer, kSecondsMax));
  }
  for (const auto& [name, flag] : kFlags) {
    if (member.key != name) continue;
    const bool lists_fields = member.type == StructuredType::string && (name == "no-cache" || name == "private");
    if (member.type != StructuredType::boolean && !lists_fields) return false;
    control.*flag = lists_fields || member.integer == 1;
  }
  return true;
}

std::optional<CacheControl> targeted_control(const http::HeaderList& response) {
  const std::string field = joined_values(response, "CDN-Cache-Control");
  const auto members = http::parse_dictionary(field);
  if (!members || members->empty()) return std::nullopt;
  CacheControl control;
  for (const StructuredMember& member : *members) {
    if (!apply(control, member)) return std::nullopt;
  }
  return control;
}

}  // namespace

ResponseControl response_control(const http::HeaderList& response) {
  if (const auto targeted = targeted_control(response)) return {*targeted, true};
  return {http::parse_cache_control(joined_values(response, "Cache-Control")), false};
}

}  // namespace reelway::edge
