#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace reelway::edge {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  bool operator==(const SocketAddress& other) const;
  std::string text() const;  // "127.0.0.1:8080" or "[::1]:8080"
};

// Asks the resolver, so it may block: for start-up. config_value_invalid when the name has no address; its
// `retry` says whether one may come: the resolver did not answer, as opposed to there being no such name.
Result<SocketAddress> resolve(const std::string& host, std::uint16_t port);

// All addresses of a name, each once and in the resolver's order, 16 at most. Blocks, as resolve() does.
Result<std::vector<SocketAddress>> resolve_all(const std::string& host, std::uint16_t port);

// "127.0.0.1:8080" or "[::1]:8080" of the socket's own side.
std::string local_address_text(int fd);
std::uint16_t local_port(int fd);

}  // namespace reelway::edge
