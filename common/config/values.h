#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/config/settings.h"

// Texts of the configuration file as values of their kinds, and back. Pure.

namespace reelway::config {

std::optional<bool> parse_flag(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::optional<std::int64_t> parse_duration_ms(std::string_view text);
// "http://host:port" or https, without a path; a slash at its end is cut off.
std::optional<std::string> parse_url(std::string_view text);

// In the largest unit that divides the value: "64MiB", "1500ms".
std::string format_bytes(std::int64_t bytes);
std::string format_duration_ms(std::int64_t milliseconds);

// Why this text is no value of this option: what was expected. Nothing if it is one. Not for lists.
std::optional<std::string> value_fault(const Option& option, std::string_view text);

// What a value of this kind looks like: "a size such as 64MiB, or a plain number of bytes".
std::string_view expectation(Kind kind);
// "from 16MiB to 1TiB", empty without limits.
std::string limits_text(const Option& option);
// A value to show for an option that has no default.
std::string placeholder(const Option& option);
std::string_view kind_name(Kind kind);

}  // namespace reelway::config
