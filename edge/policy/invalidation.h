#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"

namespace reelway::edge {

// GET, HEAD, OPTIONS and TRACE change nothing (RFC 9110 section 9.2.1); of an unknown method anything is possible.
bool is_safe_method(std::string_view method);

// The targets ("/path?query", as in a request line) whose stored responses an answer to an unsafe request invalidates
// (RFC 9111 section 4.4): its own, and those that Location and Content-Location name on the same host. None when the
// method is safe or the status is not 2xx or 3xx. At most three, each once; `host` as in the request's Host field.
std::vector<std::string> invalidated_targets(std::string_view method, std::string_view host, std::string_view target,
                                             const http::ResponseHead& answer);

// A URI reference against "/path?query" of a host (RFC 3986 section 5.2), with dot segments removed and without the
// fragment; empty when it names another host or is none of http and https.
std::string target_on_host(std::string_view reference, std::string_view host, std::string_view base_target);

}  // namespace reelway::edge
