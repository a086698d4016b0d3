#pragma once

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "common/telemetry/log.h"

namespace reelway::edge {

// RocksDB's own log file writer, in the packaged library, ends the process when it is used again after a failed
// write, such as on a full disk. So what RocksDB has to say goes to the program's log, as "<whose>: RocksDB: ...".
class RocksDbLog final : public rocksdb::Logger {
 public:
  explicit RocksDbLog(std::string whose) : rocksdb::Logger(rocksdb::WARN_LEVEL), whose_(std::move(whose)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::string_view line = text;
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
    telemetry::log_warn("{}: RocksDB: {}", whose_, line);
  }

 private:
  const std::string whose_;
};

}  // namespace reelway::edge
