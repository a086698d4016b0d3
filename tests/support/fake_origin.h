#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/base/unique_fd.h"

namespace reelway::testing {

// Opens once; whoever waits at it goes on then.
class Latch {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

// What the fake origin does for one path.
struct Script {
  std::string interim = {};  // whole answers of 1xx that come first
  int status = 200;          // 204 and 304 have no body, nor has any answer to HEAD
  std::string headers = "Cache-Control: public, max-age=3600\r\nContent-Type: video/mp4\r\nETag: \"e1\"\r\n";
  std::string body = {};
  bool with_length = true;         // else chunked
  std::size_t announced_more = 0;  // Content-Length says so much more than comes; then the connection closes
  bool with_digest = true;
  bool wrong_digest = false;
  std::shared_ptr<Latch> before_head = nullptr;
  std::size_t bytes_before_gate = 0;
  std::shared_ptr<Latch> gate = nullptr;        // after bytes_before_gate of the body
  std::shared_ptr<Latch> before_end = nullptr;  // after the body, before its last chunk: a stream that stays open
  // A Range of one part is answered with that part, as a 206, if an If-Range stands in `headers`; else as a whole.
  bool takes_ranges = false;
  std::shared_ptr<std::atomic<int>> cut_parts = nullptr;  // so many of these end in their middle
  bool close_after = false;
  std::string raw = {};      // sent as it is, in place of all the above but before_head and close_after
  bool reset_after = false;  // the connection is reset, not closed
  // What the path does from the next request on; else the same again.
  std::shared_ptr<Script> then = nullptr;
};

// A blocking HTTP/1.1 origin: one thread a connection, answers by script, counts what is asked.
class FakeOrigin {
 public:
  FakeOrigin() : listen_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(::bind(listen_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(::listen(listen_.get(), 256) == 0);
    CHECK(::getsockname(listen_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~FakeOrigin() {
    ::shutdown(listen_.get(), SHUT_RDWR);
    acceptor_.join();
    close_connections();
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }

  // For all methods, or, when `path` is "METHOD /path", for that one.
  void script(const std::string& path, Script script) {
    const std::lock_guard lock(mutex_);
    scripts_[path] = std::move(script);
  }
  int asked(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return asked_[path];
  }
  void wait_until_asked(const std::string& path, int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_[path] >= times; });
  }
  std::string last_request(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return last_request_[path];
  }
  // The value of Range in each request for the path, in order; "" where there was none.
  std::vector<std::string> ranges_asked(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return ranges_asked_[path];
  }
  std::string last_content(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return last_content_[path];
  }
  // As an origin does that drops idle connections.
  void close_connections() {
    const std::lock_guard lock(mutex_);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string input;
    while (serve_one(fd, input)) {
    }
    const std::lock_guard lock(mutex_);
    open_.erase(fd);
    ::close(fd);
  }

  bool serve_one(int fd, std::string& input) {
    std::size_t end = 0;
    while ((end = input.find("\r\n\r\n")) == std::string::npos) {
      char buffer[4096];
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count <= 0) return false;
      input.append(buffer, static_cast<std::size_t>(count));
    }
    const std::string head = input.substr(0, end + 4);
    input.erase(0, end + 4);
    const std::size_t from = head.find(' ') + 1;
    const std::string method = head.substr(0, from - 1);
    const std::string path = head.substr(from, head.find(' ', from) - from);
    const std::string content = read_content(fd, head, input);
    Script script;
    {
      const std::lock_guard lock(mutex_);
      ++asked_[path];
      last_request_[path] = head;
      last_content_[path] = content;
      ranges_asked_[path].push_back(field_of(head, "Range"));
      auto at = scripts_.find(method + " " + path);
      if (at == scripts_.end()) at = scripts_.find(path);
      script = at == scripts_.end() ? not_found() : scripted(at->second, head);
      if (at != scripts_.end() && at->second.then) {
        const std::shared_ptr<const Script> next = at->second.then;
        at->second = *next;
      }
      changed_.notify_all();
    }
    return answer(fd, script, method == "HEAD" || script.status == 204 || script.status == 304);
  }

  static std::string read_content(int fd, const std::string& head, std::string& input) {
    const std::size_t at = head.find("\r\nContent-Length: ");
    if (at == std::string::npos) return {};
    const std::size_t length = std::stoull(head.substr(at + 18));
    while (input.size() < length) {
      char buffer[4096];
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count <= 0) break;
      input.append(buffer, static_cast<std::size_t>(count));
    }
    const std::string content = input.substr(0, length);
    input.erase(0, content.size());
    return content;
  }

  static std::string field_of(const std::string& head, const std::string& name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }

  static Script scripted(Script& script, const std::string& head) {
    const bool is_part = script.takes_ranges && script.headers.find(field_of(head, "If-Range")) != std::string::npos;
    std::size_t first = 0;
    std::size_t last = 0;
    if (!is_part || std::sscanf(field_of(head, "Range").c_str(), "bytes=%zu-%zu", &first, &last) != 2) return script;
    std::string body = std::exchange(script.body, {});  // which may be long, so it is not copied
    Script part = script;
    last = std::min(last, body.size() - 1);
    part.status = 206;
    part.headers += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                    std::to_string(body.size()) + "\r\n";
    part.body = body.substr(first, last - first + 1);
    script.body = std::move(body);
    if (part.cut_parts && part.cut_parts->fetch_sub(1) > 0) {
      part.announced_more = part.body.size() / 2;
      part.body.resize(part.body.size() - part.announced_more);
    }
    return part;
  }

  static Script not_found() {
    Script script;
    script.status = 404;
    script.headers = "Reelway-Error: http_not_found\r\nCache-Control: no-store\r\n";
    script.body = "{}";
    return script;
  }

  static bool answer(int fd, const Script& script, bool bodyless) {
    if (script.before_head) script.before_head->wait();
    if (script.reset_after) reset_at_close(fd);
    if (!script.raw.empty()) return send_all(fd, script.raw) && !script.close_after && !script.reset_after;
    if (bodyless) return send_head_only(fd, script);
    std::string head = script.interim;
    head += "HTTP/1.1 " + std::to_string(script.status) + " X\r\n" + script.headers;
    if (script.with_digest) {
      const std::uint32_t sum = crc32c(as_bytes(script.body)) ^ (script.wrong_digest ? 1u : 0u);
      head += "Content-Digest: " + crc32c_digest_field(sum) + "\r\n";
    }
    head += script.with_length
                ? "Content-Length: " + std::to_string(script.body.size() + script.announced_more) + "\r\n\r\n"
                : std::string("Transfer-Encoding: chunked\r\n\r\n");
    const std::string_view body = script.body;
    const std::size_t first = script.gate ? std::min(script.bytes_before_gate, body.size()) : body.size();
    if (!send_all(fd, head) || !send_body(fd, body.substr(0, first), script.with_length)) return false;
    if (script.gate) {
      script.gate->wait();
      if (!send_body(fd, body.substr(first), script.with_length)) return false;
    }
    if (script.before_end) script.before_end->wait();
    if (!script.with_length && !send_all(fd, "0\r\n\r\n")) return false;
    return script.announced_more == 0 && !script.close_after && !script.reset_after;
  }

  static void reset_at_close(int fd) {
    const linger now{1, 0};
    (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  static bool send_head_only(int fd, const Script& script) {
    std::string head = "HTTP/1.1 " + std::to_string(script.status) + " X\r\n" + script.headers;
    if (script.status != 204 && script.status != 304) {
      head += "Content-Length: " + std::to_string(script.body.size()) + "\r\n";
    }
    return send_all(fd, head + "\r\n") && !script.close_after;
  }

  static bool send_body(int fd, std::string_view bytes, bool plain) {
    if (plain || bytes.empty()) return send_all(fd, bytes);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return send_all(fd, size) && send_all(fd, bytes) && send_all(fd, "\r\n");
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  UniqueFd listen_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Script> scripts_;
  std::map<std::string, int> asked_;
  std::map<std::string, std::string> last_request_;
  std::map<std::string, std::string> last_content_;
  std::map<std::string, std::vector<std::string>> ranges_asked_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace reelway::testing
