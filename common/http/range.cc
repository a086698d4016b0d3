#include "common/http/range.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

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

// What follows "bytes=".
std::optional<std::string_view> byte_range_set(std::string_view range_header) {
  const std::size_t equals = range_header.find('=');
  if (equals == std::string_view::npos || !names_equal(trimmed(range_header.substr(0, equals)), "bytes")) {
    return std::nullopt;
  }
  return trimmed(range_header.substr(equals + 1));
}

// One range of the set. WholeObject: it is not understood.
RangeDecision decide_spec(std::string_view spec, std::uint64_t length) {
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

// Overlapping and touching ranges as one. Ends cannot overflow: they lie within the object.
std::vector<ByteRange> coalesced(std::vector<ByteRange> ranges) {
  std::vector<ByteRange> sorted = ranges;
  std::sort(sorted.begin(), sorted.end(), [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
  std::vector<ByteRange> joined;
  for (const ByteRange& range : sorted) {
    if (!joined.empty() && range.first <= joined.back().first + joined.back().count) {
      const std::uint64_t end = std::max(joined.back().first + joined.back().count, range.first + range.count);
      joined.back().count = end - joined.back().first;
    } else {
      joined.push_back(range);
    }
  }
  return joined.size() == ranges.size() ? ranges : joined;
}

}  // namespace

RangeDecision decide_range(std::string_view range_header, std::uint64_t length) {
  const auto set = byte_range_set(range_header);
  return set ? decide_spec(*set, length) : RangeDecision(WholeObject{});
}

RangesDecision decide_ranges(std::string_view range_header, std::uint64_t length) {
  const auto set = byte_range_set(range_header);
  if (!set) return WholeObject{};
  std::vector<ByteRange> ranges;
  std::size_t members = 0;
  for (std::string_view rest = *set; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view spec = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (spec.empty()) continue;  // RFC 9110 section 5.6.1.2: empty members of a list count for nothing
    const RangeDecision decision = decide_spec(spec, length);
    if (std::holds_alternative<WholeObject>(decision) || ++members > kRangesMax) return WholeObject{};
    if (const auto* range = std::get_if<ByteRange>(&decision)) ranges.push_back(*range);
  }
  if (members == 0) return WholeObject{};
  if (ranges.empty()) return Unsatisfiable{};
  return coalesced(std::move(ranges));
}

std::string content_range(const ByteRange& range, std::uint64_t length) {
  std::string text = "bytes ";
  text.append(std::to_string(range.first)).append("-").append(std::to_string(range.first + range.count - 1));
  return text.append("/").append(std::to_string(length));
}

}  // namespace reelway::http
