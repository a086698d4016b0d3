#include "origin/fleet/edge_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/bytes.h"
#include "common/base/encoding.h"
#include "common/http/message.h"
#include "origin/fleet/play_url.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kRootDigits = 32;

Error refused(std::string_view what) {
  Error error;
  error.code = ErrorCode::http_bad_request;
  error.side = Side::client;
  error.detail.append("header ").append(kEdgeStateHeader).append(": ").append(what);
  return error;
}

// Decimal digits that fit into an i64, so that sums and comparisons cannot wrap.
std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return value;
}

// What stands between the quotes: printable ASCII without quotes and backslashes.
std::optional<std::string_view> quoted(std::string_view text, std::size_t bytes_max) {
  if (text.size() < 2 || text.size() - 2 > bytes_max || !text.starts_with('"') || !text.ends_with('"')) {
    return std::nullopt;
  }
  text = text.substr(1, text.size() - 2);
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!std::all_of(text.begin(), text.end(), plain)) return std::nullopt;
  return text;
}

std::optional<rights::Sum128> root_of(std::string_view text) {
  const auto bytes = text.size() == kRootDigits ? from_hex(text) : std::nullopt;
  if (!bytes) return std::nullopt;
  ByteReader reader{*bytes};
  rights::Sum128 root;
  root.high = reader.u64();
  root.low = reader.u64();
  return root;
}

template <class Number>
bool take_number(std::string_view text, Number& into) {
  const auto value = number_of(text);
  if (value) into = static_cast<Number>(*value);
  return value.has_value();
}

// One entry a part that we know: its value's form is checked as it is taken.
struct Part {
  std::string_view name;
  bool (*take)(std::string_view text, EdgeState& state);
};

constexpr std::array kParts = {
    Part{"url",
         [](std::string_view text, EdgeState& state) {
           const auto value = quoted(text, kEdgeUrlBytesMax);
           auto base = value ? edge_base_url(*value) : std::nullopt;
           if (base) state.url = std::move(*base);
           return base.has_value();
         }},
    Part{"version",
         [](std::string_view text, EdgeState& state) {
           const auto value = quoted(text, kEdgeVersionBytesMax);
           if (value) state.version = *value;
           return value.has_value();
         }},
    Part{"draining",
         [](std::string_view text, EdgeState& state) {
           state.draining = text == "1";
           return text == "0" || text == "1";
         }},
    Part{"revision", [](std::string_view text, EdgeState& state) { return take_number(text, state.revision); }},
    Part{"records", [](std::string_view text, EdgeState& state) { return take_number(text, state.records); }},
    Part{"root",
         [](std::string_view text, EdgeState& state) {
           state.root = root_of(text);
           return state.root.has_value();
         }},
    Part{"staleness_ms",
         [](std::string_view text, EdgeState& state) {
           const auto value = number_of(text);
           if (value) state.staleness = std::chrono::milliseconds(*value);
           return value.has_value();
         }},
    Part{"repairs", [](std::string_view text, EdgeState& state) { return take_number(text, state.repairs); }},
    Part{"snapshots", [](std::string_view text, EdgeState& state) { return take_number(text, state.snapshots); }},
};

// The part before the next ';' outside of quotes, which is taken off with it.
std::string_view take_part(std::string_view& rest) {
  bool within_quotes = false;
  std::size_t end = 0;
  while (end < rest.size() && (within_quotes || rest[end] != ';')) {
    if (rest[end] == '"') within_quotes = !within_quotes;
    ++end;
  }
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return http::trimmed(part);
}

}  // namespace

Result<EdgeState> parse_edge_state(std::string_view text) {
  if (text.size() > kEdgeStateBytesMax) return refused("over " + std::to_string(kEdgeStateBytesMax) + " bytes");
  EdgeState state;
  std::array<bool, kParts.size()> seen{};
  std::size_t count = 0;
  while (!text.empty()) {
    const std::string_view part = take_part(text);
    if (part.empty()) continue;
    if (++count > kEdgeStatePartsMax) return refused("over " + std::to_string(kEdgeStatePartsMax) + " parts");
    const auto equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    if (equals == std::string_view::npos || name.empty()) return refused("a part without a name or a value");
    const auto known = std::find_if(kParts.begin(), kParts.end(), [name](const Part& p) { return p.name == name; });
    if (known == kParts.end()) continue;  // of a newer edge
    bool& before = seen[static_cast<std::size_t>(known - kParts.begin())];
    if (before) return refused(std::string(known->name) + " comes twice");
    before = true;
    if (!known->take(part.substr(equals + 1), state)) return refused(std::string(known->name) + " has another form");
  }
  return state;
}

}  // namespace reelway::origin
