#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/base/unique_fd.h"

namespace reelway::testing {

struct PlainResponse {
  int status = 0;
  std::string head;  // with the empty line
  std::string body;
  bool whole = false;  // all that Content-Length or the last chunk announced has come

  // The value of a header, or "" when it is absent.
  std::string header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == std::string::npos) return {};
    const std::size_t from = at + key.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

// A blocking HTTP client over one connection.
class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    CHECK(connect(fd_.get(), port));
  }

  static bool is_refused(std::uint16_t port) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return !connect(fd.get(), port);
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  PlainResponse get(const std::string& path, const std::string& headers = {}, const std::string& method = "GET") {
    send(method + " " + path + " HTTP/1.1\r\nHost: edge\r\n" + headers + "\r\n");
    return receive(method == "HEAD");
  }

  // Reads the head; with at_least, also so many bytes of the body.
  PlainResponse receive_start(std::size_t at_least = 0) {
    PlainResponse response;
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return response;
    }
    response.head = input_.substr(0, end + 4);
    input_.erase(0, end + 4);
    response.status = std::atoi(response.head.c_str() + 9);
    while (input_.size() < at_least && read_more()) {
    }
    return response;
  }

  void receive_rest(PlainResponse& response, bool head_only = false) {
    const std::string length = response.header("Content-Length");
    if (head_only || response.status == 204 || response.status == 304) {
      response.whole = true;
    } else if (!length.empty()) {
      const std::size_t wanted = std::stoull(length);
      while (input_.size() < wanted && read_more()) {
      }
      response.whole = input_.size() >= wanted;
      response.body = input_.substr(0, wanted);
      input_.erase(0, wanted);
    } else if (response.header("Transfer-Encoding") == "chunked") {
      receive_chunks(response);
    } else {
      while (read_more()) {
      }
      response.whole = !reset_;
      response.body = std::exchange(input_, {});
    }
  }

  PlainResponse receive(bool head_only = false) {
    PlainResponse response = receive_start();
    if (response.status != 0) receive_rest(response, head_only);
    return response;
  }

  // Up to the next CRLF, which is taken too.
  std::string receive_line() {
    std::size_t end = 0;
    while ((end = input_.find("\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    return line;
  }

  // Fewer when the peer closes.
  std::string receive_bytes(std::size_t count) {
    while (input_.size() < count && read_more()) {
    }
    const std::string bytes = input_.substr(0, count);
    input_.erase(0, bytes.size());
    return bytes;
  }

  bool closed_by_peer() {
    while (read_more()) {
    }
    return true;
  }
  bool reset() const { return reset_; }
  void shut_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  void reset_on_close() {
    const struct linger now = {1, 0};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  void close() { fd_.reset(); }

 private:
  static bool connect(int fd, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  void receive_chunks(PlainResponse& response) {
    while (true) {
      std::size_t line = 0;
      while ((line = input_.find("\r\n")) == std::string::npos) {
        if (!read_more()) return;
      }
      const std::size_t size = std::stoull(input_.substr(0, line), nullptr, 16);
      while (input_.size() < line + 2 + size + 2) {
        if (!read_more()) return;
      }
      response.body += input_.substr(line + 2, size);
      input_.erase(0, line + 2 + size + 2);
      if (size == 0) {
        response.whole = true;
        return;
      }
    }
  }

  bool read_more() {
    char buffer[64 * 1024];
    const ssize_t count = ::read(fd_.get(), buffer, sizeof buffer);
    if (count < 0) reset_ = true;
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  UniqueFd fd_;
  std::string input_;
  bool reset_ = false;
};

}  // namespace reelway::testing
