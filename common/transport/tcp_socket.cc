#include "common/transport/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace reelway::transport {

Error connect_error(std::string_view what, int errno_value) {
  return {ErrorCode::upstream_unreachable, Side::upstream, true, std::string(what) + ": " + std::strerror(errno_value)};
}

Result<UniqueFd> tcp_socket(int family) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return connect_error("socket", errno);
  const int on = 1;
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace reelway::transport
