#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::edge {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Asks the resolver, so it may block: for start-up. config_value_invalid when the name has no address.
Result<SocketAddress> resolve(const std::string& host, std::uint16_t port);

// "127.0.0.1:8080" or "[::1]:8080" of the socket's own side.
std::string local_address_text(int fd);
std::uint16_t local_port(int fd);

}  // namespace reelway::edge
