#include "common/base/error.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

namespace reelway {

std::string describe(const Error& error) {
  const ErrorInfo& info = error.info();
  std::string text{info.name};
  text.append(": ").append(info.meaning);
  if (!error.detail.empty()) text.append(" (").append(error.detail).append(")");
  text.append(". Remedy: ").append(info.remedy).append(".");
  return text;
}

namespace {

std::string json_of(const ErrorInfo& info, const std::string& detail) {
  nlohmann::json body;
  body["error"] = {{"code", info.name}, {"message", info.meaning}, {"detail", detail}, {"remedy", info.remedy}};
  // Detail may quote a client's bytes, which need not be UTF-8.
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Of errors without detail, by code: a flood of refusals must not cost a JSON document each.
const std::string& json_without_detail(const ErrorInfo& info) {
  static const std::vector<std::string> bodies = [] {
    std::vector<std::string> made;
    for (const ErrorInfo& each : error_table()) made.push_back(json_of(each, {}));
    return made;
  }();
  return bodies[static_cast<std::size_t>(info.code)];
}

}  // namespace

std::string error_json(const Error& error) {
  const ErrorInfo& info = error.info();
  return error.detail.empty() ? json_without_detail(info) : json_of(info, error.detail);
}

Error system_error(std::string_view call, std::string_view subject, int errno_value) {
  Error error;
  error.side = Side::disk;
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT: error.code = ErrorCode::disk_full; break;
    case EADDRINUSE:
      error.code = ErrorCode::port_in_use;
      error.side = Side::self;
      break;
    case ENOENT: error.code = ErrorCode::not_found_on_disk; break;
    case EINTR:
    case EAGAIN:
      error.code = ErrorCode::io_failed;
      error.retry = true;
      break;
    default: error.code = ErrorCode::io_failed; break;
  }
  error.detail.append(call).append(" ").append(subject).append(": ").append(std::strerror(errno_value));
  return error;
}

}  // namespace reelway
