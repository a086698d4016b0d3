#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

// The gzip content coding (RFC 1952, RFC 9110 section 8.4.1.3) of whole texts.

namespace reelway::http {

// Whether an Accept-Encoding field's value lets gzip be sent (section 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);
// As small as zlib makes it; the same bytes for the same text, for the header has neither a time nor a name.
std::string gzipped(std::string_view text);
// Nothing when it is no gzip, is cut short, or has more than `bytes_max` bytes.
std::optional<std::string> gunzipped(ByteView packed, std::size_t bytes_max);

}  // namespace reelway::http
