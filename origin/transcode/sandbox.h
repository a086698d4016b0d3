#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/transcode/child_process.h"

namespace reelway::origin {

struct SandboxOptions {
  bool required = true;         // false: media tools run with the origin's own rights
  std::string confine_program;  // empty: reelway-confine beside this program
  std::uint64_t memory_bytes = 2ull << 30;
};

// The path of reelway-confine in the folder of the running program.
std::string default_confine_program();

// Whether this machine can confine media tools: runs `reelway-confine --check`. sandbox_unavailable says which part
// is missing. The origin calls this at start when transcode.sandbox is "required".
Result<void> check_sandbox(const SandboxOptions& options);

// One run of a media tool.
struct ToolRun {
  std::vector<std::string> command;
  std::string job_folder;  // empty: it may write nothing
  std::vector<std::string> read_paths;
  std::chrono::seconds cpu_limit{600};
  std::chrono::seconds wall_limit{600};
  std::uint64_t file_bytes = 0;
  std::function<Result<void>(std::string_view)> on_output;
  std::function<Result<void>(std::string_view)> on_errors = {};
};

// A run that reads one film and writes nothing; `limit` is of CPU and of wall time.
ToolRun reading_run(std::vector<std::string> command, const std::string& source, std::chrono::seconds limit);
// "exit code 1", "over its CPU limit".
std::string describe_end(const ChildEnd& end);

// Runs it confined, or plainly where that is not required. Errors as run_child(), and sandbox_unavailable.
Result<ChildEnd> run_tool(const ToolRun& run, const SandboxOptions& options, const StopSignal& stop);

}  // namespace reelway::origin
