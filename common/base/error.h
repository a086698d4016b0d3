#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error_codes.h"

namespace reelway {

// Who is at fault, so that a reader of a log knows whom to call.
enum class Side : std::uint8_t { client, upstream, disk, self };

// An operating error: something that can happen in a correct program. Programmer faults are CHECKs.
//   code     stable name from the one table in error_codes.h; also carries the HTTP status and the remedy
//   detail   what happened here, with names and figures ("film.mp4: moov box ends at 812, file at 640")
//   retry    whether the same call may succeed when repeated unchanged
// Detail may reach a client: it never holds a secret.
struct Error {
  ErrorCode code = ErrorCode::internal;
  Side side = Side::self;
  bool retry = false;
  std::string detail;

  const ErrorInfo& info() const { return error_info(code); }
};

// "token_expired: the token's time is over (expired 12 s ago). Remedy: ask the origin for a new play URL."
std::string describe(const Error& error);

// {"error":{"code":...,"message":...,"detail":...,"remedy":...}}, the body of every error response.
std::string error_json(const Error& error);

// An Error whose detail names the system call, its subject and the meaning of errno_value.
// ENOSPC and EDQUOT become disk_full, EADDRINUSE becomes port_in_use, ENOENT not_found_on_disk; others io_failed.
Error system_error(std::string_view call, std::string_view subject, int errno_value);

}  // namespace reelway
