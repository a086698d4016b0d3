#include "common/telemetry/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "common/telemetry/escape.h"

// One logger a process, made by start_log(). Before that (unit tests, start-up errors) lines of warn and above go to
// the same place under the name "reelway".

namespace reelway::telemetry {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
  }
  return "error";
}

std::shared_ptr<spdlog::logger> make_logger(std::string_view program) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  return logger;
}

// The process's log. The level is read on every call, also by threads beside the loop, hence atomic.
struct Log {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger = make_logger("reelway");
  std::atomic<LogLevel> level{LogLevel::warn};
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void start_log(std::string_view program, LogLevel level) {
  Log& log = the_log();
  auto logger = make_logger(program);
  const std::lock_guard lock(log.mutex);
  log.logger = std::move(logger);
  log.level.store(level, std::memory_order_relaxed);
}

bool log_enabled(LogLevel level) {
  return level >= the_log().level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  Log& log = the_log();
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard lock(log.mutex);
    logger = log.logger;
  }
  logger->log(spdlog_level(level), "{} {}: {}", level_name(level), logger->name(), escape_control(text));
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (name == level_name(level)) return level;
  }
  return std::nullopt;
}

std::string redact_path(std::string_view target) {
  constexpr std::string_view kTokenPrefix = "/t/";
  target = target.substr(0, target.find_first_of("?#"));
  if (!target.starts_with(kTokenPrefix)) return std::string(target);
  const std::size_t token_end = target.find('/', kTokenPrefix.size());
  std::string path = "/t/-";
  if (token_end != std::string_view::npos) path.append(target.substr(token_end));
  return path;
}

}  // namespace reelway::telemetry
