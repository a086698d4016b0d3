#include "origin/transcode/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

// Model. One thread starts a child and follows four descriptors until the child has ended: its standard output, its
// standard error, its pidfd, and the stop signal. Whatever cuts that short (time, stop, output that is refused) kills
// the child's whole process group first; no path returns before the child has been waited for.

namespace reelway::origin {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kLineMax = 64 * 1024;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Pipe {
  UniqueFd read_end, write_end;
  Result<void> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe", "child", errno);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    return {};
  }
};

class Child {
 public:
  ~Child() {
    if (process_ > 0) end();
  }

  Result<void> start(const std::vector<std::string>& command) {
    REELWAY_TRY(output_.open());
    REELWAY_TRY(errors_.open());
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output_.write_end.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors_.write_end.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int failure = spawn(command, actions, attributes);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) return system_error("start", command.front(), failure);
    output_.write_end.reset();
    errors_.write_end.reset();
    process_fd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
    if (!process_fd_) return system_error("pidfd_open", command.front(), errno);
    return {};
  }

  // Until the child has ended and all that it wrote has been read.
  Result<void> follow(const ChildRequest& request, const StopSignal& stop) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + request.wall_limit;
    for (bool ended = false; !ended;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) {
        return Error{ErrorCode::timed_out, Side::self, false,
                     request.command.front() + " ran longer than " + std::to_string(request.wall_limit.count()) + " s"};
      }
      std::array<pollfd, 4> waiting{{{output_.read_end.get(), POLLIN, 0},
                                     {errors_.read_end.get(), POLLIN, 0},
                                     {process_fd_.get(), POLLIN, 0},
                                     {stop.descriptor(), POLLIN, 0}}};
      const auto wait_ms = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
      if (::poll(waiting.data(), waiting.size(), wait_ms) < 0 && errno != EINTR) {
        return system_error("poll", "child", errno);
      }
      if (stop.stopped()) return Error{ErrorCode::shutting_down, Side::self, true, "the job was stopped"};
      ended = waiting[2].revents != 0;
      REELWAY_TRY(read_output(request));
      REELWAY_TRY(read_errors(request));
    }
    return {};
  }

  ChildEnd end() {
    ::kill(-process_, SIGKILL);
    int status = 0;
    rusage used{};
    while (::wait4(process_, &status, 0, &used) < 0 && errno == EINTR) {
    }
    process_ = -1;
    ChildEnd result;
    result.cost.cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    result.cost.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.errors = std::move(kept_errors_);
    return result;
  }

 private:
  int spawn(const std::vector<std::string>& command, const posix_spawn_file_actions_t& actions,
            const posix_spawnattr_t& attributes) {
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    char* const environment[] = {nullptr};
    return ::posix_spawn(&process_, words.front(), &actions, &attributes, words.data(), environment);
  }

  // A piece that is there now; empty when there is none, or at the end, when the descriptor is closed too.
  std::string_view read_piece(UniqueFd& from) {
    if (!from) return {};
    const ssize_t count = ::read(from.get(), piece_.data(), piece_.size());
    if (count > 0) return {piece_.data(), static_cast<std::size_t>(count)};
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) from.reset();
    return {};
  }

  Result<void> read_output(const ChildRequest& request) {
    for (auto piece = read_piece(output_.read_end); !piece.empty(); piece = read_piece(output_.read_end)) {
      if (request.on_output) REELWAY_TRY(request.on_output(piece));
    }
    return {};
  }

  Result<void> read_errors(const ChildRequest& request) {
    for (auto piece = read_piece(errors_.read_end); !piece.empty(); piece = read_piece(errors_.read_end)) {
      kept_errors_.append(piece);
      if (kept_errors_.size() > kErrorsKept) kept_errors_.erase(0, kept_errors_.size() - kErrorsKept);
      if (request.on_errors) REELWAY_TRY(request.on_errors(piece));
    }
    return {};
  }

  Pipe output_, errors_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  pid_t process_ = -1;
  UniqueFd process_fd_;
  std::string kept_errors_;
  std::array<char, kPiece> piece_;
};

}  // namespace

Result<ChildEnd> run_child(const ChildRequest& request, const StopSignal& stop) {
  Child child;
  REELWAY_TRY(child.start(request.command));
  REELWAY_TRY(child.follow(request, stop));
  return child.end();
}

Result<void> LineCutter::add(std::string_view piece) {
  for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    begun_.append(piece.substr(0, end));
    on_line_(begun_);
    begun_.clear();
    piece.remove_prefix(end + 1);
  }
  begun_.append(piece);
  if (begun_.size() <= kLineMax) return {};
  return Error{ErrorCode::io_failed, Side::self, false, "a line of output has more than 64 KiB"};
}

void LineCutter::finish() {
  if (!begun_.empty()) on_line_(begun_);
  begun_.clear();
}

}  // namespace reelway::origin
