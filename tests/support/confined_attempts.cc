// What confinement_test.cc runs within the sandbox. Each attempt is meaningless, and often harmful, outside of it, so
// this program is no test of its own. It is built without sanitizers: their shadow memory would break every limit.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>

namespace reelway::origin {
namespace {

bool is_refused(long result) {
  return result == -1 && (errno == EPERM || errno == EACCES || errno == ENOSYS);
}

TEST(Attempt, Network) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    EXPECT_TRUE(is_refused(::socket(family, SOCK_STREAM, 0))) << family;
  }
  int pair[2];
  EXPECT_TRUE(is_refused(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

TEST(Attempt, OtherProcesses) {
  const pid_t parent = ::getppid();
  char byte = 0;
  iovec mine{&byte, 1}, theirs{&byte, 1};
  EXPECT_TRUE(is_refused(::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr)));
  EXPECT_TRUE(is_refused(::process_vm_readv(parent, &mine, 1, &theirs, 1, 0)));
  EXPECT_TRUE(is_refused(::open(("/proc/" + std::to_string(parent) + "/mem").c_str(), O_RDONLY)));
  EXPECT_TRUE(is_refused(::kill(parent, 0)));
  EXPECT_TRUE(is_refused(::kill(-1, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_tgkill, parent, parent, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_pidfd_open, parent, 0)));
}

TEST(Attempt, NewProcesses) {
  EXPECT_TRUE(is_refused(::fork()));
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  EXPECT_TRUE(ran);
}

TEST(Attempt, MoreRights) {
  EXPECT_TRUE(is_refused(::unshare(CLONE_NEWUSER)));
  EXPECT_TRUE(is_refused(::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr)));
  EXPECT_TRUE(is_refused(::syscall(SYS_bpf, 0, nullptr, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_io_uring_setup, 1, nullptr)));
  EXPECT_TRUE(is_refused(::syscall(SYS_userfaultfd, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_keyctl, 0, 0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_setns, 0, 0)));
  EXPECT_TRUE(is_refused(::setuid(0)));
  EXPECT_TRUE(is_refused(::syscall(SYS_chroot, "/usr")));
  EXPECT_TRUE(is_refused(::syscall(SYS_memfd_create, "x", 0)));
}

TEST(Attempt, MuchMemory) {
  constexpr std::size_t kMore = 512u << 20;
  void* const memory = ::mmap(nullptr, kMore, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_EQ(memory, MAP_FAILED);
}

TEST(Attempt, EndlessWork) {
  std::uint64_t turns = 0;
  for (;;) asm volatile("" : "+r"(turns));
}

}  // namespace
}  // namespace reelway::origin
