#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "common/telemetry/log.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Every option of reelway-worker, once: loading, --help, config/worker.yaml and docs/reference come from it.
std::span<const config::Option> worker_options();
inline constexpr std::string_view kWorkerExampleTitle = "Reelway worker";

// The options of one worker as the program uses them, secrets read.
struct WorkerConfig {
  std::string origin_url;
  std::string credential;
  std::string name;
  std::string work_dir;
  std::size_t slots = 1;
  std::uint64_t films_bytes_max = 0;
  TranscodeOptions transcode;
  telemetry::LogLevel log_level = telemetry::LogLevel::info;
};

// Errors as config::load(), and config_value_invalid for what only this program can check.
Result<WorkerConfig> load_worker_config(const std::string& file);

}  // namespace reelway::origin
