#include "origin/transcode/syscall_filter.h"

#include <asm/ioctls.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

// Model. An allow-list: what is not named fails with EPERM, so a system call that a later kernel brings is refused
// until somebody has thought about it. Which files may be opened is Landlock's business (confinement.cc); this list
// takes away whole kinds of acts: sockets, processes, signals, mounts, keys, tracing, io_uring, bpf.
// Names that an architecture does not have are left out.

namespace reelway::origin {
namespace {

constexpr auto kAllowed = std::to_array<const char*>({
    // files
    "read",
    "pread64",
    "readv",
    "preadv",
    "preadv2",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "lseek",
    "open",
    "openat",
    "close",
    "close_range",
    "stat",
    "lstat",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents64",
    "getcwd",
    "fadvise64",
    "fallocate",
    "ftruncate",
    "truncate",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "umask",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "flock",
    "pipe",
    "pipe2",
    "sendfile",
    "copy_file_range",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "eventfd2",
    // memory
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mincore",
    "mlock",
    "munlock",
    "membarrier",
    "get_mempolicy",
    // threads and time
    "futex",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "set_tid_address",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getcpu",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "times",
    "getitimer",
    "restart_syscall",
    "arch_prctl",
    // signals of its own
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "sigaltstack",
    "pause",
    // itself and the machine
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getpgrp",
    "getrandom",
    "getrusage",
    "getrlimit",
    "uname",
    "sysinfo",
    "capget",
    "exit",
    "exit_group",
    "execve",
});

// Owns the filter while it is built.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void add(std::uint32_t action, const char* name) { add_rule(action, name, nullptr); }
  void allow_if(const char* name, const scmp_arg_cmp& condition) { add_rule(SCMP_ACT_ALLOW, name, &condition); }

  Result<void> load() {
    if (failure_ == 0) failure_ = context_ == nullptr ? -ENOMEM : seccomp_load(context_);
    if (failure_ == 0) return {};
    return Error{ErrorCode::sandbox_unavailable, Side::self, false,
                 "seccomp: " + std::string(std::strerror(-failure_))};
  }

 private:
  void add_rule(std::uint32_t action, const char* name, const scmp_arg_cmp* condition) {
    const int number = seccomp_syscall_resolve_name(name);
    if (context_ == nullptr || failure_ != 0 || number < 0) return;
    const int added = seccomp_rule_add_array(context_, action, number, condition == nullptr ? 0 : 1, condition);
    // Another architecture's call cannot be given a rule; there is nothing to allow then.
    if (added != 0 && added != -EDOM) failure_ = added;
  }

  scmp_filter_ctx context_;
  int failure_ = 0;
};

constexpr std::uint64_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

}  // namespace

Result<void> install_syscall_filter() {
  Filter filter;
  for (const char* name : kAllowed) filter.add(SCMP_ACT_ALLOW, name);
  // Threads, but neither processes nor namespaces. clone3 hides its flags behind a pointer where a filter cannot see
  // them; ENOSYS makes the C library fall back to clone.
  const std::uint64_t shape = CLONE_THREAD | kNewNamespaces;
  filter.allow_if("clone", SCMP_A0(SCMP_CMP_MASKED_EQ, shape, static_cast<std::uint64_t>(CLONE_THREAD)));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // abort() signals the process itself; its number stays the same over execve.
  filter.allow_if("tgkill", SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
  // Limits of itself: the hard ones cannot be raised without a capability.
  filter.allow_if("prlimit64", SCMP_A0(SCMP_CMP_EQ, 0));
  filter.allow_if("ioctl", SCMP_A1(SCMP_CMP_EQ, TCGETS));
  for (const int option : {PR_SET_NAME, PR_GET_NAME}) {
    filter.allow_if("prctl", SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option)));
  }
  return filter.load();
}

}  // namespace reelway::origin
