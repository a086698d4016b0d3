#include "origin/transcode/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/base/unique_fd.h"
#include "origin/transcode/syscall_filter.h"

// Model. The steps of confine(), in the only order that works:
//
//   namespaces     new network and IPC namespaces: as root directly, else through a user namespace of one user
//   no new rights  no_new_privs, which Landlock and seccomp ask for
//   files          Landlock: everything is forbidden but the rules below; also signals and abstract sockets to outside
//   capabilities   bounding set and all others emptied
//   death          SIGKILL when the parent dies; set after the last change of credentials, which would clear it
//   system calls   the filter of syscall_filter.h
//   limits         last, because building the filter needs memory
//
// A film comes from outside and the tools that read it are large and old, so the premise is that the program within
// is already the attacker's. What it can still do: burn its CPU limit, fill its job folder, and lie in its output.

namespace reelway::origin {
namespace {

Error unavailable(std::string step, int errno_value) {
  return {ErrorCode::sandbox_unavailable, Side::self, false, step + ": " + std::strerror(errno_value)};
}

Result<void> write_file(const char* path, std::string_view text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return unavailable(path, errno);
  }
  return {};
}

Result<void> enter_namespaces() {
  constexpr int kNamespaces = CLONE_NEWNET | CLONE_NEWIPC;
  if (::unshare(kNamespaces) == 0) return {};
  const std::string user = std::to_string(::geteuid()), group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | kNamespaces) != 0) return unavailable("network and user namespaces", errno);
  REELWAY_TRY(write_file("/proc/self/setgroups", "deny"));
  REELWAY_TRY(write_file("/proc/self/uid_map", user + " " + user + " 1"));
  return write_file("/proc/self/gid_map", group + " " + group + " 1");
}

// The kernel's headers of the oldest supported system stop at ABI 2, so later parts are spelled out here
// (Documentation/userspace-api/landlock.rst).
struct LandlockAttributes {
  std::uint64_t files;
  std::uint64_t network;  // ABI 4
  std::uint64_t scoped;   // ABI 6
};
constexpr std::uint64_t kTruncate = 1ull << 14;     // ABI 3
constexpr std::uint64_t kDeviceIoctl = 1ull << 15;  // ABI 5
constexpr std::uint64_t kNetworkAll = 0b11;         // bind and connect of TCP
constexpr std::uint64_t kScopedAll = 0b11;          // abstract sockets and signals to outside

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadFolder = kRead | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kReadExecute = kReadFolder | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kWriteFile = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kWriteFolder = kReadFolder | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                       LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                       LANDLOCK_ACCESS_FS_REMOVE_DIR | kTruncate;
constexpr std::uint64_t kFileRights = kRead | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kAllOfAbi1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

struct PathRule {
  const char* path;
  std::uint64_t rights;
};
constexpr auto kSystemRules = std::to_array<PathRule>({
    {"/usr", kReadExecute},
    {"/lib", kReadExecute},
    {"/lib64", kReadExecute},
    {"/etc/ld.so.cache", kRead},
    {"/etc/fonts", kReadFolder},
    {"/dev/null", kWriteFile},
    {"/dev/zero", kRead},
    {"/dev/random", kRead},
    {"/dev/urandom", kRead},
});

class Landlock {
 public:
  Result<void> create() {
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return unavailable("Landlock", errno);
    LandlockAttributes attributes{kAllOfAbi1, 0, 0};
    if (abi >= 2) attributes.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) attributes.files |= kTruncate;
    if (abi >= 5) attributes.files |= kDeviceIoctl;
    if (abi >= 4) attributes.network = kNetworkAll;
    if (abi >= 6) attributes.scoped = kScopedAll;
    const std::size_t known = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    handled_ = attributes.files;
    ruleset_.reset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, known, 0)));
    if (!ruleset_) return unavailable("Landlock rule set", errno);
    return {};
  }

  Result<void> allow(const std::string& path, std::uint64_t rights, bool required) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place && !required) return {};
    struct stat info {};
    if (!place || ::fstat(place.get(), &info) != 0) return system_error("open", path, errno);
    if (!S_ISDIR(info.st_mode)) rights &= kFileRights;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights & handled_;
    rule.parent_fd = place.get();
    if (::syscall(SYS_landlock_add_rule, ruleset_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
      return unavailable("Landlock rule for " + path, errno);
    }
    return {};
  }

  Result<void> enforce() {
    if (::syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) != 0) return unavailable("Landlock", errno);
    return {};
  }

 private:
  UniqueFd ruleset_;
  std::uint64_t handled_ = 0;
};

Result<void> restrict_files(const ConfineRequest& request) {
  Landlock landlock;
  REELWAY_TRY(landlock.create());
  for (const PathRule& rule : kSystemRules) REELWAY_TRY(landlock.allow(rule.path, rule.rights, false));
  for (const std::string& path : request.read_paths) REELWAY_TRY(landlock.allow(path, kReadFolder, true));
  if (!request.job_folder.empty()) REELWAY_TRY(landlock.allow(request.job_folder, kWriteFolder, true));
  if (!request.command.empty()) REELWAY_TRY(landlock.allow(request.command.front(), kReadExecute, true));
  return landlock.enforce();
}

Result<void> drop_capabilities() {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1) continue;
    // Without CAP_SETPCAP the bounding set stays, but no_new_privs keeps it from being of use.
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return unavailable("capabilities", errno);
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return unavailable("capabilities", errno);
  cap_t none = cap_init();
  const int dropped = none == nullptr ? -1 : cap_set_proc(none);
  if (none != nullptr) cap_free(none);
  if (dropped != 0) return unavailable("capabilities", errno);
  return {};
}

Result<void> die_with(pid_t parent) {
  if (parent == 0) return {};
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return unavailable("parent death signal", errno);
  // The parent may have died before the line above.
  if (::getppid() != parent) return Error{ErrorCode::shutting_down, Side::self, false, "the parent has ended"};
  return {};
}

Result<void> limit(int resource, std::uint64_t value, const char* name) {
  const struct rlimit both { value, value };
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0) return unavailable(name, errno);
  return {};
}

// RLIMIT_DATA counts what the program can write privately, which is what fills memory; RLIMIT_AS also counts mapped
// libraries and reserved stacks, so it gets room above.
constexpr std::uint64_t kMappedRoom = 4ull << 30;
constexpr std::uint64_t kOpenFilesMax = 256;

Result<void> set_limits(const ConfineRequest& request) {
  REELWAY_TRY(limit(RLIMIT_CORE, 0, "core limit"));
  REELWAY_TRY(limit(RLIMIT_NOFILE, kOpenFilesMax, "open file limit"));
  if (request.cpu_seconds > 0) REELWAY_TRY(limit(RLIMIT_CPU, request.cpu_seconds, "CPU limit"));
  if (request.file_bytes > 0) REELWAY_TRY(limit(RLIMIT_FSIZE, request.file_bytes, "file size limit"));
  if (request.memory_bytes > 0) {
    REELWAY_TRY(limit(RLIMIT_DATA, request.memory_bytes, "memory limit"));
    REELWAY_TRY(limit(RLIMIT_AS, request.memory_bytes + kMappedRoom, "address space limit"));
  }
  return {};
}

}  // namespace

Result<void> confine(const ConfineRequest& request) {
  REELWAY_TRY(enter_namespaces());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return unavailable("no_new_privs", errno);
  REELWAY_TRY(restrict_files(request));
  REELWAY_TRY(drop_capabilities());
  REELWAY_TRY(die_with(request.parent));
  REELWAY_TRY(install_syscall_filter());
  return set_limits(request);
}

Error confine_and_execute(const ConfineRequest& request) {
  std::vector<char*> arguments;
  for (const std::string& argument : request.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  // Two arenas keep a program with many threads from reserving address space for each.
  char locale[] = "LC_ALL=C.UTF-8", arenas[] = "MALLOC_ARENA_MAX=2";
  char* const environment[] = {locale, arenas, nullptr};

  constexpr int kPoliteness = 10;
  if (::setpgid(0, 0) != 0 && errno != EPERM) return unavailable("process group", errno);
  if (::setpriority(PRIO_PROCESS, 0, kPoliteness) != 0) return unavailable("priority", errno);
  // A write over the file limit is an error that the program reports, not its death.
  ::signal(SIGXFSZ, SIG_IGN);
  const UniqueFd nothing(::open("/dev/null", O_RDONLY));
  if (!nothing || ::dup2(nothing.get(), STDIN_FILENO) < 0) return system_error("open", "/dev/null", errno);
  if (Result<void> confined = confine(request); !confined.ok()) return std::move(confined).error();
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
  ::execve(arguments.front(), arguments.data(), environment);
  return unavailable("execute " + request.command.front(), errno);
}

}  // namespace reelway::origin
