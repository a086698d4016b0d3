#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::edge {

// One upstream as the configuration names it: "https://origin-b.example:8443 priority=2".
struct UpstreamUrl {
  bool tls = false;
  std::string host;  // of an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::uint32_t priority = 1;  // 1 to 9; a larger one is asked only when all of the smaller ones are out of use

  // What goes into Host (RFC 9110 section 7.2): "origin.example:8081", "[::1]:8081", with the port also where it is the
  // scheme's own.
  std::string authority() const;
};

// config_value_invalid: no http:// or https://, a path, no port between 1 and 65535, or a priority out of its range.
Result<UpstreamUrl> parse_upstream(std::string_view text, std::uint32_t default_priority);

}  // namespace reelway::edge
