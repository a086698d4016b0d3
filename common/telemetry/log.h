#pragma once

#include <spdlog/fmt/fmt.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The program's log: one line an event, to standard error (systemd's journal takes it from there). Levels mean:
//   error  an operator must act; something did not work and will not by itself
//   warn   something is wrong but was handled (a retry, a dropped object); look when it recurs
//   info   a change of state worth a line: start, stop, published, drained
//   debug  for developers; off by default
// No secret and no token is ever passed in: whoever logs a path passes it through redact_path().

namespace reelway::telemetry {

enum class LogLevel : unsigned char { debug, info, warn, error };

// Lines look like "2026-01-31T08:49:37.123Z info reelway-edge: text". Any thread may log.
void start_log(std::string_view program, LogLevel level);
// "debug", "info", "warn", "error".
std::optional<LogLevel> parse_log_level(std::string_view name);
void log_line(LogLevel level, std::string_view text);
bool log_enabled(LogLevel level);

// "/t/<token>/film/v1/x" -> "/t/-/film/v1/x"; also cuts the query.
std::string redact_path(std::string_view target);

template <class... Arguments>
void log(LogLevel level, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <class... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log(LogLevel::error, format, std::forward<Arguments>(arguments)...);
}
template <class... Arguments>
void log_warn(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log(LogLevel::warn, format, std::forward<Arguments>(arguments)...);
}
template <class... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log(LogLevel::info, format, std::forward<Arguments>(arguments)...);
}

}  // namespace reelway::telemetry
