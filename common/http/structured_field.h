#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reelway::http {

enum class StructuredType : std::uint8_t {
  integer,
  decimal,
  string,
  token,
  bytes,
  boolean,
  date,
  display_string,
  inner_list
};

// A member of a Dictionary of RFC 9651 section 3.2. Parameters, and the members of an inner list, are checked and
// dropped; of a key that comes twice the last value holds.
struct StructuredMember {
  std::string_view key;
  StructuredType type = StructuredType::boolean;
  std::int64_t integer = 0;  // of integer, date; 0 or 1 of boolean
  std::string_view text;     // of token; of the others as written
};

// The whole field, its lines joined by commas (section 4.2). Views into `field`. Empty when anything in it is not as
// the RFC says: such a field is ignored as a whole, never read in part. More than
// 1,024 members are too many.
std::optional<std::vector<StructuredMember>> parse_dictionary(std::string_view field);

}  // namespace reelway::http
