#include "origin/transcode/sandbox.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

// What reelway-confine exits with when it could not set up the sandbox (confine_main.cc).
constexpr int kExitNotConfined = 125;

std::string program_of(const SandboxOptions& options) {
  return options.confine_program.empty() ? default_confine_program() : options.confine_program;
}

// The reason is the JSON error in the last line of standard error.
Error not_confined(const std::string& errors) {
  const std::size_t end = errors.find_last_not_of('\n');
  const std::size_t begin = end == std::string::npos ? 0 : errors.rfind('\n', end) + 1;
  const auto json = nlohmann::json::parse(errors.substr(begin), nullptr, false);
  Error error{ErrorCode::sandbox_unavailable, Side::self, false, errors};
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) return error;
  error.detail = json["error"].value("detail", errors);
  return error;
}

std::vector<std::string> confined(const ToolRun& run, const SandboxOptions& options) {
  std::vector<std::string> command{program_of(options), "--parent", std::to_string(::getpid())};
  const auto option = [&](const char* name, const std::string& value) { command.insert(command.end(), {name, value}); };
  option("--memory-bytes", std::to_string(options.memory_bytes));
  option("--cpu-seconds", std::to_string(run.cpu_limit.count()));
  if (run.file_bytes > 0) option("--file-bytes", std::to_string(run.file_bytes));
  if (!run.job_folder.empty()) option("--job-dir", run.job_folder);
  for (const std::string& path : run.read_paths) option("--read", path);
  command.emplace_back("--");
  command.insert(command.end(), run.command.begin(), run.command.end());
  return command;
}

}  // namespace

std::string default_confine_program() {
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  return (self.parent_path() / "reelway-confine").string();
}

Result<void> check_sandbox(const SandboxOptions& options) {
  ChildRequest request;
  request.command = {program_of(options), "--check"};
  request.wall_limit = std::chrono::seconds(30);
  const StopSignal never;
  const Result<ChildEnd> end = run_child(request, never);
  if (!end.ok()) {
    return Error{ErrorCode::sandbox_unavailable, Side::self, false, program_of(options) + ": " + end.error().detail};
  }
  if (end->exit_code == 0) return {};
  return not_confined(end->errors);
}

ToolRun reading_run(std::vector<std::string> command, const std::string& source, std::chrono::seconds limit) {
  ToolRun run;
  run.command = std::move(command);
  run.read_paths = {source};
  run.cpu_limit = limit;
  run.wall_limit = limit;
  return run;
}

std::string describe_end(const ChildEnd& end) {
  if (end.signal == SIGXCPU) return "over its CPU limit";
  if (end.signal != 0) return "ended by signal " + std::to_string(end.signal);
  return "exit code " + std::to_string(end.exit_code);
}

Result<ChildEnd> run_tool(const ToolRun& run, const SandboxOptions& options, const StopSignal& stop) {
  ChildRequest request;
  request.command = options.required ? confined(run, options) : run.command;
  request.wall_limit = run.wall_limit;
  request.on_output = run.on_output;
  request.on_errors = run.on_errors;
  Result<ChildEnd> end = run_child(request, stop);
  if (end.ok() && options.required && end->exit_code == kExitNotConfined) return not_confined(end->errors);
  return end;
}

}  // namespace reelway::origin
