#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "origin/transcode/confinement.h"

#if defined(__SANITIZE_ADDRESS__)
// Confined, this program may not look into /proc, which is how the leak checker finds what is reachable.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
#endif

// reelway-confine: runs a media tool shut in. Exit codes of its own: 2 usage, 125 the sandbox or the program could
// not be set up (the reason, as JSON, is the last line of standard error); else the program's.

namespace reelway::origin {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitNotConfined = 125;

constexpr const char* kHelp = R"(reelway-confine: runs one media tool without network, rights, or other files.

  reelway-confine [options] -- PROGRAM ARGUMENTS...
  reelway-confine --check      says whether this machine can confine; exit code 0 if so

  --job-dir FOLDER    the one folder that the program may write
  --read PATH         a file or folder that it may read (repeatable)
  --memory-bytes N    most memory
  --cpu-seconds N     most CPU time
  --file-bytes N      most bytes of one file
  --parent PID        the program is killed when this process, which must be the parent, ends
  --help              this text

PROGRAM is an absolute path. It gets an empty standard input, an environment of our own, and keeps standard output
and standard error. Example:

  reelway-confine --job-dir /tmp/job --read film.mp4 --memory-bytes 1073741824 -- /usr/bin/ffprobe film.mp4
)";

int refuse_usage(std::string_view what) {
  std::fprintf(stderr, "reelway-confine: %.*s; see --help\n", static_cast<int>(what.size()), what.data());
  return kExitUsage;
}

int report(const Error& error) {
  std::fprintf(stderr, "%s\n", error_json(error).c_str());
  return kExitNotConfined;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool take_option(ConfineRequest& request, std::string_view name, std::string_view value) {
  if (name == "--job-dir") {
    request.job_folder = value;
    return true;
  }
  if (name == "--read") {
    request.read_paths.emplace_back(value);
    return true;
  }
  const std::optional<std::uint64_t> count = number(value);
  if (!count) return false;
  if (name == "--memory-bytes")
    request.memory_bytes = *count;
  else if (name == "--cpu-seconds")
    request.cpu_seconds = *count;
  else if (name == "--file-bytes")
    request.file_bytes = *count;
  else if (name == "--parent")
    request.parent = static_cast<pid_t>(*count);
  else
    return false;
  return true;
}

// In a child, so that the answer comes from a process that is still free.
int check() {
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<void> confined = confine({});
    ::_exit(confined.ok() ? 0 : report(confined.error()));
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return kExitNotConfined;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return kExitNotConfined;
  std::puts("{\"confined\":true}");
  return 0;
}

int run(int count, char** words) {
  ConfineRequest request;
  int next = 1;
  for (; next < count && std::strcmp(words[next], "--") != 0; next += 2) {
    const std::string_view name = words[next];
    if (name == "--check") return check();
    if (name == "--help") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (next + 1 >= count || !take_option(request, name, words[next + 1])) return refuse_usage(name);
  }
  for (++next; next < count; ++next) request.command.emplace_back(words[next]);
  if (request.command.empty() || !request.command.front().starts_with('/')) {
    return refuse_usage("the program must be named by an absolute path after --");
  }
  return report(confine_and_execute(request));
}

}  // namespace
}  // namespace reelway::origin

int main(int count, char** words) {
  return reelway::origin::run(count, words);
}
