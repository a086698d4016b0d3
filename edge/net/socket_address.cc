#include "edge/net/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace reelway::edge {

namespace {

constexpr std::size_t kAddressesMax = 16;

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  const std::string port = std::to_string(port_of(address));
  if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + port;
  }
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  return std::string(text) + ":" + port;
}

SocketAddress address_of(const sockaddr* from, socklen_t length) {
  SocketAddress address;
  std::memcpy(&address.storage, from, length);
  address.length = length;
  return address;
}

}  // namespace

bool SocketAddress::operator==(const SocketAddress& other) const {
  return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

std::string SocketAddress::text() const {
  return address_text(storage);
}

Result<std::vector<SocketAddress>> resolve_all(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0 || found == nullptr) {
    const bool may_come = failure == EAI_AGAIN || failure == EAI_FAIL || failure == EAI_SYSTEM;
    return Error{ErrorCode::config_value_invalid, Side::self, may_come,
                 "the host name " + host + " has no address: " + ::gai_strerror(failure)};
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr && addresses.size() < kAddressesMax; one = one->ai_next) {
    const SocketAddress address = address_of(one->ai_addr, one->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

Result<SocketAddress> resolve(const std::string& host, std::uint16_t port) {
  auto addresses = resolve_all(host, port);
  if (!addresses.ok()) return std::move(addresses).error();
  return addresses->front();
}

namespace {

sockaddr_storage local_address(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

}  // namespace

std::uint16_t local_port(int fd) {
  return port_of(local_address(fd));
}

std::string local_address_text(int fd) {
  return address_text(local_address(fd));
}

}  // namespace reelway::edge
