#include "origin/text/ttml_time.h"

#include <array>
#include <charconv>
#include <cmath>

namespace reelway::origin::text {
namespace {

constexpr double kLongest_ms = 1000.0 * 3600 * 1000;

// Digits, and a fraction where one may be.
std::optional<double> parse_number(std::string_view text, bool may_have_fraction) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  for (const char c : text) {
    if ((c < '0' || c > '9') && !(c == '.' && may_have_fraction)) return std::nullopt;
  }
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_ms(double ms) {
  if (!(ms >= 0 && ms <= kLongest_ms)) return std::nullopt;
  return std::llround(ms);
}

// "hours:minutes:seconds", then a fraction of the second, or ":frames", of which ".sub-frames" may follow.
std::optional<std::int64_t> parse_clock(std::string_view text, const TtmlClock& clock) {
  std::array<double, 4> parts{};
  std::size_t count = 0;
  double sub_frames = 0;
  for (bool more = true; more; ++count) {
    if (count == parts.size()) return std::nullopt;
    const std::size_t colon = text.find(':');
    more = colon != std::string_view::npos;
    std::string_view part = text.substr(0, colon);
    if (count == 3 && part.find('.') != std::string_view::npos) {
      const auto sub = parse_number(part.substr(part.find('.') + 1), false);
      if (!sub) return std::nullopt;
      sub_frames = *sub;
      part = part.substr(0, part.find('.'));
    }
    const auto number = parse_number(part, count == 2 && !more);
    if (!number) return std::nullopt;
    parts[count] = *number;
    if (more) text.remove_prefix(colon + 1);
  }
  if (count < 3 || parts[1] >= 60 || parts[2] > 60) return std::nullopt;
  const double frames = parts[3] + sub_frames / clock.sub_frames;
  return whole_ms(((parts[0] * 60 + parts[1]) * 60 + parts[2] + frames / clock.frame_rate) * 1000);
}

}  // namespace

std::optional<std::int64_t> parse_ttml_time(std::string_view text, const TtmlClock& clock) {
  if (text.find(':') != std::string_view::npos) return parse_clock(text, clock);
  const std::size_t metric = text.find_first_not_of("0123456789.");
  if (metric == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, metric), true);
  const std::string_view unit = text.substr(metric);
  if (!number) return std::nullopt;
  if (unit == "h") return whole_ms(*number * 3'600'000);
  if (unit == "m") return whole_ms(*number * 60'000);
  if (unit == "s") return whole_ms(*number * 1000);
  if (unit == "ms") return whole_ms(*number);
  if (unit == "f") return whole_ms(*number * 1000 / clock.frame_rate);
  if (unit == "t") return whole_ms(*number * 1000 / clock.tick_rate);
  return std::nullopt;
}

}  // namespace reelway::origin::text
