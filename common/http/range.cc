#include "common/http/range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "common/http/message.h"

namespace reelway::http {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

// One or more digits. A position beyond any object is as good as the largest number.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (kLargest - digit) / 10 ? kLargest : value * 10 + digit;
  }
  return value;
}

// "-500": the last 500 bytes. Of a shorter object that is all of it, and an empty one has no range to answer with.
RangeDecision decide_suffix(std::uint64_t count, std::uint64_t length) {
  if (count == 0) return Unsatisfiable{};
  if (length == 0) return WholeObject{};
  const std::uint64_t taken = std::min(count, length);
  return ByteRange{length - taken, taken};
}

}  // namespace

RangeDecision decide_range(std::string_view range_header, std::uint64_t length) {
  const std::size_t equals = range_header.find('=');
  if (equals == std::string_view::npos || !names_equal(trimmed(range_header.substr(0, equals)), "bytes")) {
    return WholeObject{};
  }
  const std::string_view spec = trimmed(range_header.substr(equals + 1));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return WholeObject{};
  const std::string_view last_text = spec.substr(dash + 1);
  const auto last = parse_position(last_text);
  if (dash == 0) return last ? decide_suffix(*last, length) : RangeDecision(WholeObject{});
  const auto first = parse_position(spec.substr(0, dash));
  if (!first || (!last && !last_text.empty())) return WholeObject{};
  if (last && *last < *first) return WholeObject{};  // RFC 9110 section 14.1.1: invalid, so ignored
  if (*first >= length) return Unsatisfiable{};
  const std::uint64_t end = last ? std::min(*last, length - 1) : length - 1;
  return ByteRange{*first, end - *first + 1};
}

std::string content_range(const ByteRange& range, std::uint64_t length) {
  std::string text = "bytes ";
  text.append(std::to_string(range.first)).append("-").append(std::to_string(range.first + range.count - 1));
  return text.append("/").append(std::to_string(length));
}

}  // namespace reelway::http
