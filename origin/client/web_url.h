#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

// A URL of http or https, taken apart by the parser that also connects, so that both mean the same host. Pure.

namespace reelway::origin {

inline constexpr std::size_t kWebUrlBytesMax = 4096;

struct WebUrl {
  std::string scheme;         // "http" or "https"
  std::string host;           // lower case, without a dot at its end; an IPv6 address without its brackets
  std::string request;        // as it goes out: without user, password and fragment. Its query may be a secret
  std::string shown;          // for people and logs: without the query, too
  std::string file_name;      // of its path, decoded; may be empty
  std::string authorization;  // of a user and a password in it, "Basic ..."; a secret
};

// url_refused: not of that form, or longer than kWebUrlBytesMax. The detail quotes nothing of the text but its scheme.
Result<WebUrl> parse_web_url(std::string_view text);
// Where an answer's Location leads. url_refused, also for one with a user in it.
Result<WebUrl> redirected(const WebUrl& from, std::string_view location);

// A host's name or address, or "*." and a name: every host below that name, but not that name.
bool is_host_pattern(std::string_view text);
bool host_matches(std::string_view host, std::span<const std::string> patterns);

}  // namespace reelway::origin
