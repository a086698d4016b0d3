#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "common/base/unique_fd.h"

namespace reelway::testing {

// A blocking client that sends the bytes it is given, well formed or not. Reads give up after a generous limit, so that
// a server that never answers fails a test and does not hang it.
class RawHttpClient {
 public:
  struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;

    std::string header(const std::string& name) const {
      const auto found = headers.find(name);
      return found == headers.end() ? std::string() : found->second;
    }
  };

  explicit RawHttpClient(const std::string& address) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    const timeval limit{20, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << address;
  }

  // False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { shutdown(socket_.get(), SHUT_WR); }

  // `to_head`: the answer to a HEAD request, which has no body.
  Answer read(bool to_head = false) {
    Answer answer;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!fill()) return answer;
    }
    parse_head(answer);
    if (to_head || answer.status == 304) return answer;
    const auto length = static_cast<std::size_t>(std::strtoull(answer.header("content-length").c_str(), nullptr, 10));
    while (buffer_.size() < length && fill()) {
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
  }

  Answer ask(std::string_view bytes, bool to_head = false) {
    send(bytes);
    return read(to_head);
  }

  // Whatever comes until the server closes.
  std::string read_to_end() {
    while (fill()) {
    }
    return std::move(buffer_);
  }
  bool closed_by_server() { return buffer_.empty() && !fill(); }

 private:
  bool fill() {
    char part[64 * 1024];
    const ssize_t count = recv(socket_.get(), part, sizeof part, 0);
    if (count > 0) buffer_.append(part, static_cast<std::size_t>(count));
    return count > 0;
  }

  void parse_head(Answer& answer) {
    const auto end = buffer_.find("\r\n\r\n");
    std::string_view head = std::string_view(buffer_).substr(0, end + 2);
    answer.status = std::atoi(head.substr(9, 3).data());
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const std::string_view line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size() + 2);
      const auto colon = line.find(": ");
      std::string name(line.substr(0, colon));
      for (char& c : name) c = static_cast<char>(tolower(c));
      answer.headers[name] = line.substr(colon + 2);
    }
    buffer_.erase(0, end + 4);
  }

  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace reelway::testing
