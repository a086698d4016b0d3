#include "origin/net/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/telemetry/log.h"

namespace reelway::origin {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;  // then the connections already open get their turn
constexpr std::chrono::milliseconds kRetryAfter{100};

std::string join(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

struct AddressListDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

Result<AddressList> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int result = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (result == 0) return AddressList(list);
  Error error;
  error.code = ErrorCode::config_value_invalid;
  error.detail = join(host, port) + " is no address of this machine: " + gai_strerror(result);
  return error;
}

Result<UniqueFd> bind_and_listen(const addrinfo& address, const std::string& name) {
  UniqueFd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return system_error("socket", name, errno);
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0) return system_error("bind", name, errno);
  if (::listen(socket.get(), kBacklog) != 0) return system_error("listen", name, errno);
  return socket;
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const std::string& host, std::uint16_t port,
                                                 OnAccept on_accept) {
  auto addresses = resolve(host, port);
  if (!addresses) return addresses.error();
  auto socket = bind_and_listen(**addresses, join(host, port));
  if (!socket) return socket.error();
  std::string address = join(host, bound_port(socket->get()));
  return std::unique_ptr<Listener>(
      new Listener(loop, std::move(socket).value(), std::move(address), std::move(on_accept)));
}

Listener::Listener(EventLoop& loop, UniqueFd socket, std::string address, OnAccept on_accept)
    : socket_(std::move(socket)),
      address_(std::move(address)),
      on_accept_(std::move(on_accept)),
      poll_(loop, socket_.get(), [this](SocketPoll::Ready) { accept_some(); }),
      retry_(loop, [this] { poll_.want(true, false); }) {
  poll_.want(true, false);
}

void Listener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd socket(accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors or memory: the pending connection stays readable, so look away for a moment.
      telemetry::log_error("{}", describe(system_error("accept", address_, errno)));
      poll_.want(false, false);
      retry_.start_once(kRetryAfter);
      return;
    }
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    on_accept_(std::move(socket));
  }
}

}  // namespace reelway::origin
