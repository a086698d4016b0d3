#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::loadtest {

// "http://127.0.0.1:8090/t/x/film/v1/init.mp4" taken apart.
struct Url {
  std::string host;
  std::string port = "80";
  std::string target = "/";  // path and query, as written

  std::string authority() const { return host + ":" + port; }
};

// http only; no user part, no fragment, no IPv6 literal.
Result<Url> parse_url(std::string_view text);

// The first IPv4 address of the host. Blocks while it asks the resolver, so only at start-up.
Result<sockaddr_in> resolve(const Url& url);

// An IPv4 address of this machine to connect from, "127.0.0.2". Whether it is one shows when it is bound.
Result<in_addr> parse_source(std::string_view text);

}  // namespace reelway::loadtest
