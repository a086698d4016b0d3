#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reelway::http {

// IMF-fixdate of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". Seconds since 1970.
std::string format_date(std::int64_t unix_s);
// All three forms that a recipient must accept.
std::optional<std::int64_t> parse_date(std::string_view text);

}  // namespace reelway::http
