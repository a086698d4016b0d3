#include "edge/policy/freshness.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/http/date.h"
#include "edge/policy/response_control.h"
#include "edge/policy/tags.h"
#include "edge/policy/vary.h"

// Freshness by RFC 9111 section 4.2, for a shared cache:
//
//   lifetime   s-maxage, else max-age, else Expires - Date, else (site only) a tenth of Date - Last-Modified
//   age        the larger of (Age + the time the answer took) and of (time received - Date)
//   fresh      until received + lifetime - age
//
// What decides over storing is section 3. A site's answer is stored also when it is not fresh, as long as something can
// come of it: it can be validated, or it may be served stale.
//
// Departures. A film's answer is stored only with status 200, an explicit lifetime and nothing to validate: a film's
// bytes must never be kept by guesswork. A site's answer that sets a cookie is stored only while it says itself for how
// long (section 7.3 leaves that to the origin's Cache-Control), never by heuristic or to be validated: otherwise a
// cookie that was meant for one would reach another. 206 and 416 answer a part of what the key names.

namespace reelway::edge {
namespace {

constexpr std::uint32_t kLifetimeMaxS = 10 * 365 * 24 * 3600u;  // keeps sums of milliseconds far from overflow
constexpr std::int64_t kHeuristicMaxS = 24 * 3600;              // section 4.2.2: no longer than a day by guesswork

// RFC 9110 section 15.1: what may be kept without an explicit lifetime (but for 206).
constexpr std::array<std::uint16_t, 11> kHeuristicStatuses = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};

// Statuses whose caching rules this cache knows (for must-understand): those of RFC 9110 but for the partial ones.
constexpr std::array<std::uint16_t, 41> kUnderstoodStatuses = {
    200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408,
    409, 410, 411, 412, 413, 414, 415, 417, 421, 422, 426, 428, 429, 431, 500, 501, 502, 503, 504, 505};

constexpr std::string_view kTooManyTags = "it has more or longer tags than are kept";

template <std::size_t N>
bool is_among(const std::array<std::uint16_t, N>& statuses, std::uint16_t status) {
  return std::binary_search(statuses.begin(), statuses.end(), status);
}

struct Lifetime {
  LifetimeSource source = LifetimeSource::none;
  std::uint32_t seconds = 0;
};

Lifetime capped(LifetimeSource source, std::int64_t seconds) {
  return {source, static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, kLifetimeMaxS))};
}

// Age is one number; of a list or of several lines the first counts (section 5.1). What is no number is ignored, and
// what is larger than any age is as old as can be.
std::uint32_t age_field_s(std::optional<std::string_view> field) {
  if (!field) return 0;
  const std::string_view digits = http::trimmed(field->substr(0, field->find(',')));
  if (digits.empty()) return 0;
  std::uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return 0;
    value = std::min<std::uint64_t>(value * 10 + static_cast<std::uint64_t>(c - '0'), kLifetimeMaxS);
  }
  return static_cast<std::uint32_t>(value);
}

// A field that is present but no date, as "0", counts as already expired (section 5.3).
Lifetime explicit_lifetime(const http::ResponseHead& head, const ResponseControl& control, std::int64_t date_s) {
  const http::CacheControl& directives = control.directives;
  if (directives.s_maxage_s) {
    return capped(control.targeted ? LifetimeSource::targeted : LifetimeSource::s_maxage, *directives.s_maxage_s);
  }
  if (directives.max_age_s) {
    return capped(control.targeted ? LifetimeSource::targeted : LifetimeSource::max_age, *directives.max_age_s);
  }
  const auto expires = head.headers.find("Expires");
  if (!expires || control.targeted) return {};
  const auto expires_s = http::parse_date(*expires);
  return capped(LifetimeSource::expires, expires_s ? *expires_s - date_s : 0);
}

Lifetime heuristic_lifetime(const http::ResponseHead& head, const ResponseControl& control, std::int64_t date_s) {
  if (!control.directives.public_ && !is_among(kHeuristicStatuses, head.status)) return {};
  const auto field = head.headers.find("Last-Modified");
  const auto modified_s = field ? http::parse_date(*field) : std::nullopt;
  if (!modified_s || *modified_s >= date_s) return {};
  return capped(LifetimeSource::heuristic, std::min((date_s - *modified_s) / 10, kHeuristicMaxS));
}

// What a film's key has of the request's fields is whether gzip is taken (cache_key.h).
bool varies_by_key_alone(const http::ResponseHead& head) {
  const Vary vary = vary_of(head.headers);
  return !vary.any && std::all_of(vary.names.begin(), vary.names.end(),
                                  [](const std::string& name) { return name == "accept-encoding"; });
}

std::string_view film_refusal(const http::ResponseHead& head, const http::CacheControl& control,
                              const FreshnessVerdict& verdict, std::int64_t received_ms) {
  if (head.status != 200) return "its status is not 200";
  if (control.no_store) return "no-store";
  if (control.private_) return "private";
  if (control.no_cache) return "no-cache";
  if (head.headers.find("Set-Cookie")) return "it sets a cookie";
  if (tags_of(head.headers).too_many) return kTooManyTags;
  if (!varies_by_key_alone(head)) return "it varies by request headers, which are no part of the cache key";
  if (verdict.lifetime_source == LifetimeSource::none) return "it states no lifetime";
  if (verdict.fresh_until_ms <= received_ms) return "its lifetime is over";
  return {};
}

// Section 3.5: what of a response allows others to see what was asked for with credentials.
bool shares_authorized(const http::CacheControl& control) {
  return control.public_ || control.must_revalidate || control.s_maxage_s.has_value();
}

bool has_validator(const http::ResponseHead& head) {
  return head.headers.find("ETag").has_value() || head.headers.find("Last-Modified").has_value();
}

// Whether anything can come of an answer that may be stored.
bool is_of_use(const http::ResponseHead& head, const FreshnessVerdict& verdict, std::int64_t received_ms) {
  const bool fresh = verdict.fresh_until_ms > received_ms && !verdict.always_validate;
  const bool stale_use = !verdict.must_revalidate && !verdict.always_validate &&
                         (verdict.stale_while_revalidate_s > 0 || verdict.stale_if_error_s > 0);
  return fresh || stale_use || has_validator(head);
}

std::string_view site_refusal(const StoringRequest& request, const http::ResponseHead& head,
                              const http::CacheControl& control, const FreshnessVerdict& verdict,
                              std::int64_t received_ms) {
  if (request.method != http::Method::get) return "the method is not GET";
  if (head.status < 200) return "it is not final";
  if (head.status == 206 || head.status == 304 || head.status == 416) return "its status answers a part or a condition";
  if (request.no_store) return "no-store in the request";
  const bool understood = is_among(kUnderstoodStatuses, head.status);
  if (control.must_understand && !understood) return "must-understand, and its status is not known here";
  if (control.no_store && !control.must_understand) return "no-store";
  if (control.private_) return "private";
  if (request.authorization && !shares_authorized(control)) return "it was asked for with Authorization";
  if (vary_of(head.headers).any) return "Vary: *";
  if (tags_of(head.headers).too_many) return kTooManyTags;
  const bool says_how_long = verdict.lifetime_source != LifetimeSource::none && !verdict.heuristic &&
                             !verdict.always_validate && verdict.fresh_until_ms > received_ms;
  if (!says_how_long && head.headers.find("Set-Cookie")) return "it sets a cookie and states no lifetime";
  if (!is_of_use(head, verdict, received_ms)) return "it is not fresh and cannot be validated";
  return {};
}

std::uint32_t age_at_arrival_s(const StoringRequest& request, const http::ResponseHead& head, std::int64_t date_ms,
                               std::int64_t received_ms) {
  const std::int64_t apparent_s = (received_ms - date_ms) / 1000;
  const std::int64_t delay_ms =
      request.request_ms < 0 ? 0 : std::max<std::int64_t>(0, received_ms - request.request_ms);
  const std::int64_t corrected_s = age_field_s(head.headers.find("Age")) + delay_ms / 1000;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(std::max(apparent_s, corrected_s), 0, kLifetimeMaxS));
}

}  // namespace

FreshnessVerdict judge_response(const StoringRequest& request, const http::ResponseHead& head,
                                std::int64_t received_ms) {
  const bool site = request.rules == CachingRules::site;
  const ResponseControl control = response_control(head.headers);
  const http::CacheControl& directives = control.directives;
  const auto date_field = head.headers.find("Date");
  const auto date_s = date_field ? http::parse_date(*date_field) : std::nullopt;

  FreshnessVerdict verdict;
  verdict.date_ms = date_s ? *date_s * 1000 : received_ms;
  verdict.age_s = age_at_arrival_s(request, head, verdict.date_ms, received_ms);
  Lifetime lifetime = explicit_lifetime(head, control, verdict.date_ms / 1000);
  if (site && lifetime.source == LifetimeSource::none) {
    lifetime = heuristic_lifetime(head, control, verdict.date_ms / 1000);
  }
  verdict.lifetime_s = lifetime.seconds;
  verdict.lifetime_source = lifetime.source;
  verdict.heuristic = lifetime.source == LifetimeSource::heuristic;
  const std::uint32_t left_s = lifetime.seconds > verdict.age_s ? lifetime.seconds - verdict.age_s : 0;
  verdict.fresh_until_ms = received_ms + std::int64_t{left_s} * 1000;
  verdict.stale_while_revalidate_s = std::min(directives.stale_while_revalidate_s.value_or(0), kLifetimeMaxS);
  verdict.stale_if_error_s = std::min(directives.stale_if_error_s.value_or(0), kLifetimeMaxS);
  verdict.must_revalidate =
      directives.must_revalidate || directives.proxy_revalidate || directives.s_maxage_s.has_value();
  verdict.always_validate = directives.no_cache;
  verdict.reason = site ? site_refusal(request, head, directives, verdict, received_ms)
                        : film_refusal(head, directives, verdict, received_ms);
  verdict.store = verdict.reason.empty();
  return verdict;
}

FreshnessVerdict judge_response(const http::ResponseHead& head, std::int64_t received_ms) {
  return judge_response(StoringRequest{}, head, received_ms);
}

std::string_view lifetime_source_name(LifetimeSource source) {
  switch (source) {
    case LifetimeSource::none: return "none stated";
    case LifetimeSource::targeted: return "CDN-Cache-Control";
    case LifetimeSource::s_maxage: return "s-maxage";
    case LifetimeSource::max_age: return "max-age";
    case LifetimeSource::expires: return "Expires";
    case LifetimeSource::heuristic: return "a tenth of its time unchanged";
  }
  return "none stated";
}

std::string describe(const FreshnessVerdict& verdict) {
  std::string text = "lifetime " + std::to_string(verdict.lifetime_s) + " s (";
  text.append(lifetime_source_name(verdict.lifetime_source)).append(") - age on arrival ");
  text.append(std::to_string(verdict.age_s)).append(" s = ");
  if (verdict.lifetime_s > verdict.age_s) {
    return text.append("fresh for ").append(std::to_string(verdict.lifetime_s - verdict.age_s)).append(" s");
  }
  return text.append("stale on arrival");
}

std::uint32_t age_s(std::uint32_t age_at_arrival_s, std::int64_t received_ms, std::int64_t now_ms) {
  const std::int64_t resident_s = std::max<std::int64_t>(0, (now_ms - received_ms) / 1000);
  return static_cast<std::uint32_t>(std::min<std::int64_t>(age_at_arrival_s + resident_s, UINT32_MAX));
}

std::uint32_t fresh_for_s(std::int64_t fresh_until_ms, std::int64_t now_ms) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>((fresh_until_ms - now_ms) / 1000, 0, UINT32_MAX));
}

std::int64_t playback_max_age_s(std::uint32_t fresh_s, std::int64_t token_left_s) {
  return std::min<std::int64_t>(fresh_s, std::max<std::int64_t>(0, token_left_s));
}

}  // namespace reelway::edge
