#include "common/telemetry/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "common/telemetry/escape.h"
#include "common/telemetry/log.h"

// Two strings change places: callers append to pending_, the thread writes batch_. The lock is held for an append or an
// exchange only, never for a write. The first line of a batch wakes the thread, which then waits kBatchDelay for more,
// so that a busy edge pays one wake-up for many lines.

namespace reelway::telemetry {
namespace {

constexpr std::chrono::milliseconds kBatchDelay{50};
constexpr std::size_t kPathBytesMax = 1024;
constexpr std::size_t kAgentBytesMax = 256;

Result<UniqueFd> open_file(const std::string& file) {
  // Addresses of viewers are in it: not for everyone on the machine.
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return system_error("open", file, errno);
  return fd;
}

void append_time(std::string& out, std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                 clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out.append(",\"").append(key).append("\":");
  append_json_string(out, value);
}

void append_number(std::string& out, std::string_view key, std::uint64_t value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", key, value);
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

std::string format_access_line(const AccessRecord& record) {
  std::string line = "{\"time\":\"";
  append_time(line, record.time_ms);
  line.push_back('"');
  append_text(line, "client", record.client);
  append_text(line, "method", record.method);
  append_text(line, "path", std::string_view(redact_path(record.target)).substr(0, kPathBytesMax));
  append_number(line, "status", record.status);
  append_number(line, "bytes", record.bytes);
  append_number(line, "duration_us", record.duration_us);
  append_text(line, "cache", record.cache);
  append_text(line, "error", record.error_code);
  append_text(line, "agent", record.user_agent.substr(0, kAgentBytesMax));
  return line.append(record.cut ? ",\"cut\":true}\n" : ",\"cut\":false}\n");
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& file) {
  auto fd = open_file(file);
  if (!fd.ok()) return std::move(fd).error();
  return std::unique_ptr<AccessLog>(new AccessLog(file, std::move(fd).value()));
}

AccessLog::AccessLog(std::string file, UniqueFd fd) : file_(std::move(file)), fd_(std::move(fd)) {
  thread_ = std::thread([this] { run(); });
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void AccessLog::record(const AccessRecord& record) {
  const std::string line = format_access_line(record);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + line.size() > kBufferBytes) {
      lines_dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const std::size_t before = pending_.size();
    pending_.append(line);
    const bool half_full = before < kBufferBytes / 2 && pending_.size() >= kBufferBytes / 2;
    urgent_ = urgent_ || half_full;
    wake = before == 0 || half_full;
  }
  if (wake) wake_.notify_one();
}

void AccessLog::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_wanted_ = true;
  }
  wake_.notify_one();
}

void AccessLog::flush() {
  std::unique_lock lock(mutex_);
  urgent_ = true;
  wake_.notify_one();
  idle_.wait(lock, [this] { return pending_.empty() && !writing_ && !reopen_wanted_; });
}

void AccessLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !pending_.empty() || reopen_wanted_ || stopping_; });
    wake_.wait_for(lock, kBatchDelay, [this] { return urgent_ || reopen_wanted_ || stopping_; });
    const bool last = stopping_;
    const bool reopen = std::exchange(reopen_wanted_, false);
    urgent_ = false;
    writing_ = true;
    batch_.clear();
    std::swap(batch_, pending_);
    lock.unlock();
    // What was recorded before reopen() belongs into the old file.
    write_batch();
    if (reopen) open_again();
    lock.lock();
    writing_ = false;
    idle_.notify_all();
    if (last && pending_.empty()) return;
  }
}

void AccessLog::write_batch() {
  if (torn_ && !batch_.empty()) batch_.insert(batch_.begin(), '\n');
  std::string_view rest(batch_);
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (!std::exchange(failing_, true)) log_warn("access log {}: lines are dropped: {}", file_, std::strerror(errno));
      torn_ = torn_ || rest.size() < batch_.size();
      lines_dropped_.fetch_add(count_lines(rest), std::memory_order_relaxed);
      return;
    }
    const auto written = static_cast<std::size_t>(count);
    lines_written_.fetch_add(count_lines(rest.substr(0, written)), std::memory_order_relaxed);
    rest.remove_prefix(written);
    torn_ = !rest.empty() && batch_[batch_.size() - rest.size() - 1] != '\n';
  }
  failing_ = false;
}

void AccessLog::open_again() {
  auto fd = open_file(file_);
  if (!fd.ok()) {
    log_warn("access log {}: the old file stays in use: {}", file_, fd.error().detail);
    return;
  }
  fd_ = std::move(fd).value();
  torn_ = false;
}

}  // namespace reelway::telemetry
