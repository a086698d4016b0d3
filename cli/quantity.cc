#include "cli/quantity.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <ctime>

namespace reelway::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kDurationMaxMs = std::int64_t{100} * 365 * 24 * 3600 * 1000;

std::optional<std::int64_t> unit_ms(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return std::nullopt;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the run of digits, or of other characters, off the front.
std::string_view take_run(std::string_view& text, bool digits) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size]) == digits) ++size;
  const std::string_view run = text.substr(0, size);
  text.remove_prefix(size);
  return run;
}

std::optional<std::int64_t> parse_number(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string scaled(double value, const std::array<const char*, 5>& units) {
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} {}", value, units[0]) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto number = parse_number(take_run(text, true));
    const auto unit = unit_ms(take_run(text, false));
    if (!number || !unit || *number > kDurationMaxMs / *unit) return std::nullopt;
    total += *number * *unit;
    if (total > kDurationMaxMs) return std::nullopt;
  }
  return milliseconds{total};
}

std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_s) {
  if (const auto seconds = parse_number(text); seconds && *seconds >= 0) return seconds;
  if (const auto duration = parse_duration(text)) return now_s + duration->count() / 1000;
  std::tm parts{};
  const std::string copy{text};
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

std::string format_bytes(std::uint64_t bytes) {
  return scaled(static_cast<double>(bytes), {"B", "kB", "MB", "GB", "TB"});
}

std::string format_rate(double bytes_per_second) {
  return scaled(bytes_per_second, {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"});
}

std::string format_bit_rate(std::uint64_t bits_per_second) {
  return scaled(static_cast<double>(bits_per_second), {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"});
}

std::string format_countdown(std::chrono::seconds left) {
  const auto s = left.count();
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string format_play_time(milliseconds duration) {
  const auto ms = duration.count();
  return format_countdown(std::chrono::seconds{ms / 1000}) + fmt::format(".{:03}", ms % 1000);
}

std::string format_span(std::chrono::seconds span) {
  const auto s = span.count();
  if (s < 120) return fmt::format("{} s", s);
  if (s < 2 * 3600) return fmt::format("{} min", s / 60);
  if (s < 48 * 3600) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86400, s / 3600 % 24);
}

std::string format_utc(std::int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace reelway::cli
