#include "common/http/cache_control.h"

#include <algorithm>

#include "common/http/message.h"

namespace reelway::http {
namespace {

// RFC 9111 section 1.2.2: a larger number of seconds is taken as this one.
constexpr std::uint32_t kSecondsMax = 2147483648;

// An argument that is no number makes the answer stale at once: the sender wanted some limit, and zero is the one that
// cannot serve wrong bytes (RFC 9111 section 4.2.1).
std::uint32_t parse_seconds(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return 0;
    value = std::min<std::uint64_t>(value * 10 + static_cast<std::uint64_t>(c - '0'), kSecondsMax);
  }
  return static_cast<std::uint32_t>(value);
}

void restrict_to(std::optional<std::uint32_t>& seconds, std::string_view argument) {
  const std::uint32_t value = parse_seconds(argument);
  seconds = seconds ? std::min(*seconds, value) : value;
}

// Of several, the one that asks for most.
void demand(std::optional<std::uint32_t>& seconds, std::string_view argument) {
  seconds = std::max(seconds.value_or(0), parse_seconds(argument));
}

// The forms with field names (no-cache="Set-Cookie") count as the plain ones, which restrict more.
void apply_flag(CacheControl& control, std::string_view name) {
  if (names_equal(name, "no-store")) {
    control.no_store = true;
  } else if (names_equal(name, "no-cache")) {
    control.no_cache = true;
  } else if (names_equal(name, "private")) {
    control.private_ = true;
  } else if (names_equal(name, "public")) {
    control.public_ = true;
  } else if (names_equal(name, "must-revalidate")) {
    control.must_revalidate = true;
  } else if (names_equal(name, "proxy-revalidate")) {
    control.proxy_revalidate = true;
  } else if (names_equal(name, "must-understand")) {
    control.must_understand = true;
  } else if (names_equal(name, "only-if-cached")) {
    control.only_if_cached = true;
  } else if (names_equal(name, "immutable")) {
    control.immutable = true;
  }
}

void apply(CacheControl& control, std::string_view name, std::string_view argument) {
  if (names_equal(name, "max-age")) {
    restrict_to(control.max_age_s, argument);
  } else if (names_equal(name, "s-maxage")) {
    restrict_to(control.s_maxage_s, argument);
  } else if (names_equal(name, "stale-while-revalidate")) {
    restrict_to(control.stale_while_revalidate_s, argument);
  } else if (names_equal(name, "stale-if-error")) {
    restrict_to(control.stale_if_error_s, argument);
  } else if (names_equal(name, "min-fresh")) {
    demand(control.min_fresh_s, argument);
  } else if (names_equal(name, "max-stale")) {
    if (argument.empty()) {
      control.max_stale_s = control.max_stale_s.value_or(UINT32_MAX);
    } else {
      restrict_to(control.max_stale_s, argument);
    }
  } else {
    apply_flag(control, name);
  }
}

}  // namespace

CacheControl parse_cache_control(std::string_view field_value) {
  CacheControl control;
  while (!field_value.empty()) {
    const std::size_t end = list_member_end(field_value);
    const std::string_view directive = trimmed(field_value.substr(0, end));
    const std::size_t equals = directive.find('=');
    const std::string_view argument =
        equals == std::string_view::npos ? std::string_view{} : trimmed(directive.substr(equals + 1));
    apply(control, trimmed(directive.substr(0, equals)), argument);
    field_value.remove_prefix(std::min(end + 1, field_value.size()));
  }
  return control;
}

}  // namespace reelway::http
