#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Durations, sizes and times as people write and read them. Pure.

namespace reelway::cli {

// "90s", "45m", "24h", "7d", "250ms", or several joined ("1h30m"). Nothing without a unit, below zero or over 100
// years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// A moment as Unix seconds: "1800000000", "2027-01-15T08:00:00Z", or a duration counted from `now_s`.
std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_s);

std::string format_bytes(std::uint64_t bytes);                     // "640 B", "12.3 MB": powers of 1000
std::string format_rate(double bytes_per_second);                  // "12.3 MB/s"
std::string format_bit_rate(std::uint64_t bits_per_second);        // "2.4 Mbit/s"
std::string format_countdown(std::chrono::seconds left);           // "0:07", "12:30", "1:02:03"
std::string format_play_time(std::chrono::milliseconds duration);  // "0:16.000", "1:32:05.250"
std::string format_span(std::chrono::seconds span);                // "45 s", "12 min", "23 h 59 min", "6 d 4 h"
std::string format_utc(std::int64_t unix_s);                       // "2027-01-15 08:00:00 UTC"

}  // namespace reelway::cli
