#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/unique_fd.h"
#include "origin/transcode/sandbox.h"
#include "tests/support/temporary_folder.h"

// The confined program is confined_attempts, run with the filter of one attempt: an attempt passes when everything it
// tries is refused. Whatever is not refused fails it, and so the test that ran it.

namespace reelway::origin {
namespace {

const std::string kAttempts = std::string(REELWAY_BIN_DIR) + "/confined_attempts";
const std::string kConfine = std::string(REELWAY_BIN_DIR) + "/reelway-confine";

class Confinement : public testing::Test {
 protected:
  SandboxOptions options() {
    SandboxOptions options;
    options.confine_program = kConfine;
    options.memory_bytes = memory_bytes_;
    return options;
  }

  ChildEnd run(std::vector<std::string> command) {
    ToolRun run;
    run.command = std::move(command);
    run.job_folder = folder_.path();
    run.read_paths = {input_.path()};
    run.cpu_limit = cpu_limit_;
    run.file_bytes = 1 << 20;
    run.on_output = [this](std::string_view piece) -> Result<void> {
      output_.append(piece);
      return {};
    };
    const Result<ChildEnd> end = run_tool(run, options(), StopSignal());
    EXPECT_TRUE(end.ok()) << describe(end.error());
    return end.ok() ? *end : ChildEnd{};
  }

  ChildEnd attempt(const std::string& name) { return run({kAttempts, "--gtest_filter=Attempt." + name}); }

  void expect_refused(const std::string& name) {
    const ChildEnd end = attempt(name);
    EXPECT_EQ(end.exit_code, 0) << output_ << end.errors;
    EXPECT_THAT(output_, testing::HasSubstr("[  PASSED  ] 1 test"));
  }

  TemporaryFolder folder_, input_;
  std::string output_;
  std::uint64_t memory_bytes_ = 1ull << 30;
  std::chrono::seconds cpu_limit_{60};
};

TEST_F(Confinement, ThisMachineCanConfine) {
  EXPECT_TRUE(check_sandbox(options()).ok());
}

TEST_F(Confinement, MissingConfineProgramIsSaid) {
  SandboxOptions missing;
  missing.confine_program = "/nowhere/reelway-confine";
  const Result<void> checked = check_sandbox(missing);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::sandbox_unavailable);
}

TEST_F(Confinement, ReadsItsInputsAndWritesItsFolder) {
  std::ofstream(input_.at("film")) << "pictures";
  EXPECT_EQ(run({"/usr/bin/cat", input_.at("film")}).exit_code, 0);
  EXPECT_EQ(output_, "pictures");
  EXPECT_EQ(
      run({"/usr/bin/dd", "status=none", "if=/dev/zero", "of=" + folder_.at("out"), "bs=1000", "count=5"}).exit_code,
      0);
  EXPECT_EQ(std::filesystem::file_size(folder_.at("out")), 5000u);
}

TEST_F(Confinement, OtherFilesAreClosed) {
  TemporaryFolder other;
  std::ofstream(other.at("secret")) << "secret";
  for (const std::string& path : {other.at("secret"), std::string("/etc/passwd"), std::string("/proc/self/environ"),
                                  "/proc/" + std::to_string(::getpid()) + "/environ"}) {
    const ChildEnd end = run({"/usr/bin/cat", path});
    EXPECT_NE(end.exit_code, 0) << path;
    EXPECT_THAT(end.errors, testing::HasSubstr("Permission denied"));
  }
  EXPECT_NE(run({"/usr/bin/dd", "status=none", "if=/dev/zero", "of=" + input_.at("new"), "count=1"}).exit_code, 0);
  EXPECT_NE(run({"/usr/bin/dd", "status=none", "if=/dev/zero", "of=" + other.at("secret"), "count=1"}).exit_code, 0);
  EXPECT_EQ(std::filesystem::file_size(other.at("secret")), 6u);
  EXPECT_EQ(output_, "");
}

TEST_F(Confinement, ItsOwnFolderHoldsNoPrograms) {
  std::filesystem::copy("/usr/bin/true", folder_.at("program"));
  EXPECT_EQ(run({"/usr/bin/env", folder_.at("program")}).exit_code, 126);
}

TEST_F(Confinement, EnvironmentIsItsOwn) {
  run({"/usr/bin/env"});
  EXPECT_EQ(output_, "LC_ALL=C.UTF-8\nMALLOC_ARENA_MAX=2\n");
}

TEST_F(Confinement, NetworkIsGone) {
  expect_refused("Network");
}
TEST_F(Confinement, OtherProcessesAreOutOfReach) {
  expect_refused("OtherProcesses");
}
TEST_F(Confinement, ProcessesCannotBeMadeButThreadsCan) {
  expect_refused("NewProcesses");
}
TEST_F(Confinement, RightsCannotBeWon) {
  expect_refused("MoreRights");
}

TEST_F(Confinement, FilesAreBounded) {
  const ChildEnd end =
      run({"/usr/bin/dd", "status=none", "if=/dev/zero", "of=" + folder_.at("big"), "bs=1M", "count=3"});
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.errors, testing::HasSubstr("File too large"));
  EXPECT_EQ(std::filesystem::file_size(folder_.at("big")), 1u << 20);
}

TEST_F(Confinement, MemoryIsBounded) {
  memory_bytes_ = 256ull << 20;
  expect_refused("MuchMemory");
}

TEST_F(Confinement, ProcessorTimeIsBounded) {
  cpu_limit_ = std::chrono::seconds(1);
  const ChildEnd end = attempt("EndlessWork");
  EXPECT_TRUE(end.signal == SIGKILL || end.signal == SIGXCPU) << end.exit_code;
}

TEST_F(Confinement, AnotherParentThanStatedIsRefused) {
  ChildRequest request;
  request.command = {kConfine, "--parent", "1", "--", "/usr/bin/true"};
  EXPECT_EQ(run_child(request, StopSignal())->exit_code, 125);
}

TEST_F(Confinement, DiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]), writer(ends[1]);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::dup2(writer.get(), STDOUT_FILENO);
    const std::string script = kConfine + " --parent $$ -- /bin/sh -c 'echo $$; exec sleep 1000' & wait";
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  writer.reset();
  char number[32] = {};
  ASSERT_GT(::read(reader.get(), number, sizeof number - 1), 0);
  const UniqueFd confined(static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(number), 0)));
  ASSERT_TRUE(confined.valid());
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  pollfd ended{confined.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 60'000), 1);
}

}  // namespace
}  // namespace reelway::origin
