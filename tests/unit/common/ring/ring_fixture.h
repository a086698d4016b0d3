#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <utility>

#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"

namespace reelway::ring {

// An operation whose completion is a function of the test.
class TestOperation final : public Operation {
 public:
  using Handler = std::function<void(std::int32_t result, std::uint32_t flags)>;
  explicit TestOperation(Handler handler = nullptr) : handler_(std::move(handler)) {}
  void on_completed(Handler handler) { handler_ = std::move(handler); }

 private:
  void completed(std::int32_t result, std::uint32_t flags) override {
    if (handler_) handler_(result, flags);
  }
  Handler handler_;
};

inline std::unique_ptr<Ring> make_ring(const RingOptions& options = {.entries = 256, .receive_buffers = 64}) {
  auto ring = Ring::create(options);
  EXPECT_TRUE(ring.ok()) << describe(ring.error());
  return std::move(ring).value();
}

struct SocketPair {
  SocketPair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ours.reset(fds[0]);
    theirs.reset(fds[1]);
  }
  UniqueFd ours;
  UniqueFd theirs;
};

// A listening socket on a port that the kernel picked.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd.get(), 1024), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  }
  UniqueFd connect_blocking() const {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), generic(), sizeof address), 0);
    return client;
  }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address); }

  UniqueFd fd;
  sockaddr_in address{};
};

}  // namespace reelway::ring
