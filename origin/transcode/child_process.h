#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/transcode/stop_signal.h"

namespace reelway::origin {

struct ChildRequest {
  std::vector<std::string> command;  // program (absolute path) and arguments
  std::chrono::seconds wall_limit{60};
  // Called with pieces of standard output as they come. An error ends the child and is the result.
  std::function<Result<void>(std::string_view)> on_output;
  // The same of standard error, whose end is kept in ChildEnd besides. May be left out.
  std::function<Result<void>(std::string_view)> on_errors = {};
};

// What a media tool took of the machine.
struct ToolCost {
  double cpu_s = 0, wall_s = 0;
};

struct ChildEnd {
  int exit_code = 0;  // -1 when a signal ended it
  int signal = 0;
  std::string errors;  // the last of standard error, at most kErrorsKept bytes
  ToolCost cost;
};
inline constexpr std::size_t kErrorsKept = 16 * 1024;

// Runs a program in a process group of its own, with an empty environment and no descriptor but the standard ones,
// until it has ended. Blocking; it dies with the calling thread if it set that up (reelway-confine --parent).
// timed_out; shutting_down when `stop` was given; io_failed when it could not be started.
Result<ChildEnd> run_child(const ChildRequest& request, const StopSignal& stop);

// Cuts what comes in pieces into lines, without their ends.
class LineCutter {
 public:
  explicit LineCutter(std::function<void(std::string_view)> on_line) : on_line_(std::move(on_line)) {}
  Result<void> add(std::string_view piece);  // io_failed for a line over 64 KiB
  void finish();

 private:
  std::function<void(std::string_view)> on_line_;
  std::string begun_;
};

}  // namespace reelway::origin
