#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/check.h"
#include "common/base/unique_fd.h"

namespace reelway::testing {

// One accepted connection of a RawOrigin, as the test's script sees it: blocking, byte by byte.
class RawConnection {
 public:
  explicit RawConnection(int fd) : fd_(fd) {}

  // One request's head, or what came before the peer closed.
  std::string read_head() {
    while (input_.find("\r\n\r\n") == std::string::npos) {
      char buffer[4096];
      const ssize_t count = ::read(fd_, buffer, sizeof buffer);
      if (count <= 0) return std::exchange(input_, {});
      input_.append(buffer, static_cast<std::size_t>(count));
    }
    const std::size_t end = input_.find("\r\n\r\n") + 4;
    std::string head = input_.substr(0, end);
    input_.erase(0, end);
    return head;
  }
  // False when the peer has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // The connection ends with a reset, not with an end of stream, as soon as the script returns.
  void reset() {
    const linger now{1, 0};
    (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  void wait_for_close() {
    char buffer[4096];
    while (::read(fd_, buffer, sizeof buffer) > 0) {
    }
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
  std::string input_;
};

// An origin that does what a script says, with no idea of HTTP: one thread and one call of the script a connection;
// when the script returns the connection is closed.
class RawOrigin {
 public:
  using ConnectionScript = std::function<void(int number, RawConnection& connection)>;  // numbers from 1

  explicit RawOrigin(ConnectionScript script, const char* address = "127.0.0.1", std::uint16_t port = 0)
      : script_(std::move(script)), listen_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    CHECK(::inet_pton(AF_INET, address, &at.sin_addr) == 1);
    socklen_t length = sizeof at;
    const int on = 1;
    (void)::setsockopt(listen_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CHECK(::bind(listen_.get(), reinterpret_cast<sockaddr*>(&at), length) == 0);
    CHECK(::listen(listen_.get(), 256) == 0);
    CHECK(::getsockname(listen_.get(), reinterpret_cast<sockaddr*>(&at), &length) == 0);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~RawOrigin() {
    ::shutdown(listen_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      threads_.emplace_back([this, fd, number = ++connections_] {
        RawConnection connection(fd);
        script_(number, connection);
        const std::lock_guard closing(mutex_);
        open_.erase(fd);
        ::close(fd);
      });
    }
  }

  const ConnectionScript script_;
  UniqueFd listen_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace reelway::testing
