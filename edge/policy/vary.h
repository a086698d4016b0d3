#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"

namespace reelway::edge {

// The request fields by which a response was selected (RFC 9110 section 12.5.5).
struct Vary {
  bool any = false;                // "*": no later request is known to match
  std::vector<std::string> names;  // lower-case, sorted, each once
};
Vary vary_of(const http::HeaderList& response);

// A variant's key: the object's key, and after a tab the selecting fields of the request in a normal form, so that
// requests that RFC 9111 section 4.1 lets match have the same key. A request target holds no tab, so what is before the
// first one is always the object's key. Empty when the form is longer than kVariantKeyBytesMax, or when there are more
// than kVaryNamesMax names: then the answer is not stored.
//
// Normal form: lines of one name are joined; white space around members goes; Accept-Encoding becomes the set of those
// codings of br, gzip, zstd and identity that are acceptable; Accept-Language becomes lower-case members in order of
// weight, then of name; members of other fields keep order and case. A field that is absent differs from every value.
inline constexpr std::size_t kVariantKeyBytesMax = 1024;
inline constexpr std::size_t kVaryNamesMax = 16;
std::optional<std::string> variant_key(std::string_view key, const std::vector<std::string>& names,
                                       const http::HeaderList& request);

// The normal form of one field's value; `name` in lower case.
std::string normal_value(std::string_view name, std::string_view joined_value);

}  // namespace reelway::edge
