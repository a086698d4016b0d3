#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace reelway::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;  // at least 1
};

// What a Range header means for an object of `length` bytes (RFC 9110 section 14). A header that is not
// understood, or that asks for several ranges, is ignored: the whole object is the answer.
struct WholeObject {};
struct Unsatisfiable {};
using RangeDecision = std::variant<WholeObject, ByteRange, Unsatisfiable>;

RangeDecision decide_range(std::string_view range_header, std::uint64_t length);

std::string content_range(const ByteRange& range, std::uint64_t length);  // "bytes 0-99/1000"

}  // namespace reelway::http
