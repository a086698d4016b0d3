#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"

namespace reelway::edge {

// One JSON line per request, appended to a file through the ring. Lines gather while a write is under way, up to
// kGatheredBytesMax; further ones are dropped and counted, so a slow disk never slows a viewer.
class AccessLog {
 public:
  static constexpr std::size_t kGatheredBytesMax = 4 * 1024 * 1024;

  struct Entry {
    std::int64_t time_ms = 0;
    std::string_view client;
    std::string_view method;
    std::string_view path;  // redacted
    std::uint16_t status = 0;
    std::uint64_t body_bytes = 0;
    std::uint64_t duration_us = 0;
    std::string_view cache;
    std::string_view error;  // a code's name, or empty
    bool cut = false;        // the client did not get the whole of it
  };

  static Result<std::unique_ptr<AccessLog>> open(ring::Ring& ring, const std::string& file);
  ~AccessLog();  // writes what is gathered; may block

  void add(const Entry& entry);
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t write_errors() const { return write_errors_; }

 private:
  AccessLog(ring::Ring& ring, UniqueFd fd);
  void flush();
  void on_written(std::int32_t result, std::uint32_t flags);

  ring::Ring& ring_;
  UniqueFd fd_;  // opened for appending, so the offset of a write does not matter
  std::string gathered_;
  std::string writing_;
  std::size_t written_bytes_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t write_errors_ = 0;
  ring::Timer timer_;
  ring::Bound<AccessLog, &AccessLog::on_written> write_{*this};
};

// Text as the inside of a JSON string.
void append_json_text(std::string& out, std::string_view text);

}  // namespace reelway::edge
