#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace reelway::edge {

// This test program again, running one test with a directory in its environment: the test looks there first and plays
// the child's part. For what ends a process.
class ChildProcess {
 public:
  static constexpr const char* kDirectoryVariable = "REELWAY_STORE_CHILD_DIRECTORY";

  // In the child: the directory. Null in the test itself. The child dies with its parent.
  static const char* directory() {
    const char* path = ::getenv(kDirectoryVariable);
    if (path != nullptr) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return path;
  }
  // In the child: tells the parent that it has come to its point.
  static void say_ready() {
    if (::write(STDOUT_FILENO, "!", 1) != 1) ::_exit(5);
  }

  ChildProcess(const std::string& test, const std::string& directory) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::setenv(kDirectoryVariable, directory.c_str(), 1);
      ::execl("/proc/self/exe", "test", ("--gtest_filter=" + test).c_str(), nullptr);
      ::_exit(2);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~ChildProcess() { ::close(output_); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // False when it ended before.
  bool wait_until_ready() const {
    char byte = 0;
    while (::read(output_, &byte, 1) == 1) {
      if (byte == '!') return true;
    }
    return false;
  }
  int wait() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    return status;
  }
  int kill() const {
    ::kill(process_, SIGKILL);
    return wait();
  }

 private:
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace reelway::edge
