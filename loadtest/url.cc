#include "loadtest/url.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace reelway::loadtest {
namespace {

constexpr std::string_view kScheme = "http://";

Error usage_error(std::string_view text, std::string_view what) {
  Error error{ErrorCode::usage, Side::client, false, ""};
  error.detail.append("URL '").append(text).append("': ").append(what);
  return error;
}

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (!text.starts_with(kScheme)) return usage_error(text, "it must begin with http://");
  const std::string_view rest = text.substr(kScheme.size());
  const auto target_at = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, target_at);
  const std::string_view target = rest.substr(target_at);
  const bool plain =
      std::none_of(target.begin(), target.end(), [](char c) { return c <= ' ' || c == 0x7f || c == '#'; });
  if (!plain) return usage_error(text, "blanks, control bytes and fragments are not sent; percent-encode them");
  if (authority.find_first_of("@[]?#") != std::string_view::npos) {
    return usage_error(text, "the host must be a name or an IPv4 address");
  }
  const auto colon = authority.find(':');
  Url url;
  url.host = authority.substr(0, colon);
  if (url.host.empty()) return usage_error(text, "it names no host");
  if (colon != std::string_view::npos) url.port = authority.substr(colon + 1);
  if (!is_port(url.port)) return usage_error(text, "the port must be 1 to 65535");
  if (!target.empty()) url.target = target;
  return url;
}

Result<sockaddr_in> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int fault = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found); fault != 0) {
    return Error{ErrorCode::upstream_unreachable, Side::upstream, true, url.authority() + ": " + ::gai_strerror(fault)};
  }
  sockaddr_in address{};
  std::memcpy(&address, found->ai_addr, sizeof address);
  ::freeaddrinfo(found);
  return address;
}

Result<in_addr> parse_source(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) == 1) return address;
  Error error{ErrorCode::usage, Side::client, false, ""};
  error.detail.append("source '").append(text).append("' is no IPv4 address");
  return error;
}

}  // namespace reelway::loadtest
