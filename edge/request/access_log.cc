#include "edge/request/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::chrono::milliseconds kFlushAfter{1000};

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Bytes above ASCII are no valid target; each is shown by its value.
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(ring::Ring& ring, const std::string& file) {
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!fd) return system_error("open", file, errno);
  return std::unique_ptr<AccessLog>(new AccessLog(ring, std::move(fd)));
}

AccessLog::AccessLog(ring::Ring& ring, UniqueFd fd) : ring_(ring), fd_(std::move(fd)), timer_(ring) {}

AccessLog::~AccessLog() {
  // A write that the ring still held when it stopped may or may not have happened; it is not repeated.
  if (!gathered_.empty()) (void)!::write(fd_.get(), gathered_.data(), gathered_.size());
}

void AccessLog::add(const Entry& entry) {
  if (gathered_.size() > kGatheredBytesMax) {
    ++dropped_;
    return;
  }
  fmt::format_to(std::back_inserter(gathered_), R"({{"time_ms":{},"client":"{}","method":")", entry.time_ms,
                 entry.client);
  append_json_text(gathered_, entry.method);
  gathered_ += R"(","path":")";
  append_json_text(gathered_, entry.path);
  fmt::format_to(std::back_inserter(gathered_),
                 R"(","status":{},"bytes":{},"duration_us":{},"cache":"{}","error":"{}","cut":{}}})"
                 "\n",
                 entry.status, entry.body_bytes, entry.duration_us, entry.cache, entry.error, entry.cut);
  if (gathered_.size() >= kFlushBytes) return flush();
  if (!timer_.armed()) timer_.arm(kFlushAfter, [this] { flush(); });
}

void AccessLog::flush() {
  if (write_.in_flight() || gathered_.empty()) return;
  timer_.disarm();
  writing_ = std::exchange(gathered_, {});
  written_bytes_ = 0;
  ring_.write(write_, fd_.get(), as_bytes(writing_), 0);
}

void AccessLog::on_written(std::int32_t result, std::uint32_t) {
  if (result <= 0) {
    if (write_errors_++ == 0) telemetry::log_error("the access log cannot be written: error {}", -result);
    return;
  }
  written_bytes_ += static_cast<std::size_t>(result);
  if (written_bytes_ < writing_.size()) {
    return ring_.write(write_, fd_.get(), as_bytes(writing_).subspan(written_bytes_), 0);
  }
  if (gathered_.size() >= kFlushBytes) return flush();
  if (!gathered_.empty() && !timer_.armed()) timer_.arm(kFlushAfter, [this] { flush(); });
}

}  // namespace reelway::edge
