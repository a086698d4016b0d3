#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"

namespace reelway::loadtest {

// A blocking server on a port of its own, a thread per connection: answers each request head with what the script
// says for it. An empty answer, or one that says "Connection: close", ends the connection.
class ScriptedServer {
 public:
  using Script = std::function<std::string(const std::string& request_head)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listen_fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listen_fd_.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    ::listen(listen_fd_.get(), 256);
    socklen_t length = sizeof address_;
    ::getsockname(listen_fd_.get(), reinterpret_cast<sockaddr*>(&address_), &length);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~ScriptedServer() {
    ::shutdown(listen_fd_.get(), SHUT_RDWR);
    acceptor_.join();
    for (const int fd : connection_fds_) ::shutdown(fd, SHUT_RDWR);
    for (auto& thread : threads_) thread.join();
    for (const int fd : connection_fds_) ::close(fd);
  }

  std::string url(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + target;
  }
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  // How many connections came from each address.
  std::map<std::string, int> peers() const {
    const std::scoped_lock lock(mutex_);
    return peers_;
  }

 private:
  void accept_all() {
    while (true) {
      sockaddr_in peer{};
      socklen_t length = sizeof peer;
      const int fd = ::accept4(listen_fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
      if (fd < 0) return;
      {
        const std::scoped_lock lock(mutex_);
        ++peers_[::inet_ntoa(peer.sin_addr)];
      }
      ++connections_;
      connection_fds_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string input;
    char piece[4096];
    while (true) {
      const auto end = input.find("\r\n\r\n");
      if (end == std::string::npos) {
        const ssize_t count = ::recv(fd, piece, sizeof piece, 0);
        if (count <= 0) return;
        input.append(piece, static_cast<std::size_t>(count));
        continue;
      }
      const std::string head = input.substr(0, end + 4);
      input.erase(0, end + 4);
      ++requests_;
      const std::string answer = script_(head);
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t count = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
      }
      if (answer.empty() || answer.find("Connection: close") != std::string::npos) {
        ::shutdown(fd, SHUT_RDWR);
        return;
      }
    }
  }

  Script script_;
  UniqueFd listen_fd_;
  sockaddr_in address_{};
  std::thread acceptor_;
  std::vector<int> connection_fds_;  // the acceptor's until it is joined
  std::vector<std::thread> threads_;
  mutable std::mutex mutex_;
  std::map<std::string, int> peers_;  // under mutex_
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
};

inline std::string ok_response(const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

}  // namespace reelway::loadtest
