#include "edge/policy/freshness.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/http/cache_control.h"
#include "common/http/date.h"

// Freshness by RFC 9111 section 4.2, for a shared cache:
//
//   lifetime   s-maxage, else max-age, else Expires - Date; there is no heuristic lifetime
//   age        the larger of the response's Age and of (time received - Date)
//   fresh      until received + lifetime - age
//
// Departures: only answers with status 200 are stored (section 3 would permit more); a response with no-cache is not
// stored, because this edge does not revalidate yet, so it could never be used; a response without an explicit
// lifetime is not stored, because a film's bytes must never be kept by guesswork.

namespace reelway::edge {
namespace {

constexpr std::uint32_t kLifetimeMaxS = 10 * 365 * 24 * 3600u;  // keeps sums of milliseconds far from overflow

std::uint32_t seconds_of(std::optional<std::string_view> field) {
  std::uint32_t value = 0;
  if (!field) return 0;
  const auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), value);
  if (error == std::errc::result_out_of_range) return kLifetimeMaxS;
  return error == std::errc{} && end == field->data() + field->size() ? std::min(value, kLifetimeMaxS) : 0;
}

// A field that is present but no date, as "0", counts as already expired (section 5.3).
std::optional<std::uint32_t> lifetime_s(const http::ResponseHead& head, const http::CacheControl& control,
                                        std::int64_t date_s) {
  if (control.s_maxage_s) return std::min(*control.s_maxage_s, kLifetimeMaxS);
  if (control.max_age_s) return std::min(*control.max_age_s, kLifetimeMaxS);
  const auto expires = head.headers.find("Expires");
  if (!expires) return std::nullopt;
  const auto expires_s = http::parse_date(*expires);
  if (!expires_s || *expires_s <= date_s) return 0;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(*expires_s - date_s, kLifetimeMaxS));
}

// Cache-Control may stand on several lines; they form one list (RFC 9110 section 5.3).
http::CacheControl cache_control_of(const http::ResponseHead& head) {
  std::string joined;
  for (const http::Header& header : head.headers) {
    if (!http::names_equal(header.name, "Cache-Control")) continue;
    if (!joined.empty()) joined += ", ";
    joined += header.value;
  }
  return http::parse_cache_control(joined);
}

std::string_view refusal(const http::ResponseHead& head, const http::CacheControl& control,
                         std::optional<std::uint32_t> lifetime) {
  if (head.status != 200) return "its status is not 200";
  if (control.no_store) return "no-store";
  if (control.private_) return "private";
  if (control.no_cache) return "no-cache";
  if (head.headers.find("Set-Cookie")) return "it sets a cookie";
  if (head.headers.find("Vary")) return "it varies by request headers, which are no part of the cache key";
  if (!lifetime) return "it states no lifetime";
  if (*lifetime == 0) return "its lifetime is over";
  return {};
}

}  // namespace

FreshnessVerdict judge_response(const http::ResponseHead& head, std::int64_t received_ms) {
  FreshnessVerdict verdict;
  const auto date_field = head.headers.find("Date");
  const auto date_s = date_field ? http::parse_date(*date_field) : std::nullopt;
  verdict.date_ms = date_s ? *date_s * 1000 : received_ms;

  const auto apparent_s = std::clamp<std::int64_t>((received_ms - verdict.date_ms) / 1000, 0, kLifetimeMaxS);
  verdict.age_s = std::max(static_cast<std::uint32_t>(apparent_s), seconds_of(head.headers.find("Age")));

  const http::CacheControl control = cache_control_of(head);
  const auto lifetime = lifetime_s(head, control, verdict.date_ms / 1000);
  const std::uint32_t left_s = lifetime.value_or(0) > verdict.age_s ? *lifetime - verdict.age_s : 0;
  verdict.fresh_until_ms = received_ms + std::int64_t{left_s} * 1000;
  verdict.reason = refusal(head, control, lifetime ? std::optional(left_s) : std::nullopt);
  verdict.store = verdict.reason.empty();
  return verdict;
}

std::uint32_t age_s(std::uint32_t age_at_arrival_s, std::int64_t received_ms, std::int64_t now_ms) {
  const std::int64_t resident_s = std::max<std::int64_t>(0, (now_ms - received_ms) / 1000);
  return static_cast<std::uint32_t>(std::min<std::int64_t>(age_at_arrival_s + resident_s, UINT32_MAX));
}

std::uint32_t fresh_for_s(std::int64_t fresh_until_ms, std::int64_t now_ms) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>((fresh_until_ms - now_ms) / 1000, 0, UINT32_MAX));
}

std::string playback_cache_control(std::uint32_t fresh_s, std::int64_t token_left_s) {
  const auto seconds = std::min<std::int64_t>(fresh_s, std::max<std::int64_t>(0, token_left_s));
  return "private, max-age=" + std::to_string(seconds);
}

}  // namespace reelway::edge
