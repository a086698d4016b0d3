#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace reelway::telemetry {

// What one answered request leaves behind. Views need to live only for the call that takes them.
struct AccessRecord {
  std::int64_t time_ms = 0;  // wall clock, since 1970
  std::string_view client;   // address without port
  std::string_view method;
  std::string_view target;  // as received; the log redacts token and query itself
  std::uint16_t status = 0;
  std::uint64_t bytes = 0;  // of the body, as sent
  std::uint64_t duration_us = 0;
  std::string_view cache;       // outcome_name(): "hit", "miss", ...; empty when the cache was not asked
  std::string_view error_code;  // empty when nothing went wrong
  std::string_view user_agent;
  bool cut = false;  // the client did not get the whole of the answer
};

// One line of JSON, with its line feed. Path and user agent are cut at a limit.
std::string format_access_line(const AccessRecord& record);

// Appends a line per request to a file, written by a thread of its own so that a slow disk never holds the caller.
// Lines wait in a buffer of kBufferBytes; when it is full, or when the disk refuses them, they are dropped and counted.
// record(), reopen() and the counters may be called from any thread.
class AccessLog {
 public:
  static constexpr std::size_t kBufferBytes = 4 << 20;

  static Result<std::unique_ptr<AccessLog>> open(const std::string& file);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();  // writes what is buffered

  void record(const AccessRecord& record);
  // After the file was renamed by a log rotation: what is written from now on goes to a file of the first name.
  void reopen();
  // Returns when everything recorded before has been written or dropped. Blocks: for shutdown and tests.
  void flush();

  std::uint64_t lines_written() const { return lines_written_.load(std::memory_order_relaxed); }
  std::uint64_t lines_dropped() const { return lines_dropped_.load(std::memory_order_relaxed); }

 private:
  AccessLog(std::string file, UniqueFd fd);
  void run();
  void write_batch();
  void open_again();

  const std::string file_;
  std::atomic<std::uint64_t> lines_written_{0};
  std::atomic<std::uint64_t> lines_dropped_{0};

  // Only the writing thread.
  UniqueFd fd_;
  std::string batch_;
  bool torn_ = false;     // the file ends within a line
  bool failing_ = false;  // the last write failed, and the log has said so

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;  // the writing thread waits here
  std::condition_variable idle_;  // flush() waits here
  std::string pending_;
  bool urgent_ = false;
  bool reopen_wanted_ = false;
  bool stopping_ = false;
  bool writing_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace reelway::telemetry
