#include "edge/net/upstream_url.h"

#include <algorithm>
#include <charconv>

namespace reelway::edge {
namespace {

constexpr std::uint32_t kPriorityMax = 9;

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorCode::config_value_invalid, Side::self, false, std::string(text) + ": " + std::string(why)};
}

template <class Number>
bool read_number(std::string_view digits, Number& number) {
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && at == end && !digits.empty();
}

std::string_view after(std::string_view text, std::string_view prefix) {
  return text.substr(prefix.size());
}

// "host", "host:1", "[::1]", "[::1]:1"
bool read_authority(std::string_view authority, UpstreamUrl& url) {
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return false;
  url.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  const std::string_view rest = host_end == std::string_view::npos ? "" : authority.substr(host_end + bracketed);
  const bool port_right = rest.empty() || (rest.starts_with(':') && read_number(rest.substr(1), url.port));
  return port_right && !url.host.empty() && url.port != 0 && url.host.find_first_of("/?#@ \t\"") == std::string::npos;
}

}  // namespace

std::string UpstreamUrl::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<UpstreamUrl> parse_upstream(std::string_view text, std::uint32_t default_priority) {
  UpstreamUrl url;
  url.priority = default_priority;
  const auto blank = text.find(' ');
  std::string_view address = text.substr(0, blank);
  if (blank != std::string_view::npos) {
    constexpr std::string_view kPriority = "priority=";
    const std::string_view further = text.substr(std::min(text.size(), text.find_first_not_of(' ', blank)));
    const bool right = further.starts_with(kPriority) && read_number(after(further, kPriority), url.priority) &&
                       url.priority >= 1 && url.priority <= kPriorityMax;
    if (!right) return invalid(text, "after the URL only priority=1 to priority=9 may stand");
  }
  url.tls = address.starts_with("https://");
  if (!url.tls && !address.starts_with("http://")) return invalid(text, "it must begin with http:// or https://");
  url.port = url.tls ? 443 : 80;
  address = after(address, url.tls ? "https://" : "http://");
  if (address.ends_with('/')) address.remove_suffix(1);
  if (address.find('/') != std::string_view::npos) return invalid(text, "it must have no path");
  if (!read_authority(address, url)) return invalid(text, "expected a host, and a port of 1 to 65535 after a colon");
  return url;
}

}  // namespace reelway::edge
