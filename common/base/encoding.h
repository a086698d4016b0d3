#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace reelway {

std::string hex(ByteView bytes);  // lower case
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 section 5, no padding. Decoding is strict: unused bits in the last character must be zero, so that
// one value has exactly one text (a token with a flipped bit there is refused).
std::string base64url(ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

// RFC 4648 section 4, padded: for RFC 9530 digests.
std::string base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

// RFC 3986: encodes every byte but the unreserved characters of section 2.3, with upper-case digits.
std::string percent_encoded(std::string_view text);
// Section 2.1. Nothing when a '%' is not followed by two hexadecimal digits. A '+' stays a '+'.
std::optional<std::string> percent_decoded(std::string_view text);

// RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace reelway
