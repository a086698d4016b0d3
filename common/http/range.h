#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

// The same for a header that may name several ranges (section 14.2). Those that cannot be satisfied are left out; those
// that overlap or touch become one, and then all stand in the object's order, else in the order asked for (section
// 15.3.7.2). At least one. More than kRangesMax are ignored: the whole object costs less than its pieces.
inline constexpr std::size_t kRangesMax = 16;
using RangesDecision = std::variant<WholeObject, std::vector<ByteRange>, Unsatisfiable>;

RangesDecision decide_ranges(std::string_view range_header, std::uint64_t length);

std::string content_range(const ByteRange& range, std::uint64_t length);  // "bytes 0-99/1000"

}  // namespace reelway::http
