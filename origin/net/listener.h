#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "origin/net/event_loop.h"

namespace reelway::origin {

// Accepts connections on one address until destroyed. Accepted sockets are non-blocking, with small writes sent at
// once.
class Listener {
 public:
  using OnAccept = std::function<void(UniqueFd)>;

  // Port 0 picks a free one. port_in_use, config_value_invalid, io_failed.
  static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const std::string& host, std::uint16_t port,
                                                OnAccept on_accept);
  const std::string& address() const { return address_; }  // with the real port

 private:
  Listener(EventLoop& loop, UniqueFd socket, std::string address, OnAccept on_accept);
  void accept_some();

  UniqueFd socket_;
  std::string address_;
  OnAccept on_accept_;
  SocketPoll poll_;  // after the socket: destroyed before it
  Timer retry_;
};

}  // namespace reelway::origin
