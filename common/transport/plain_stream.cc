#include "common/transport/plain_stream.h"

#include <cerrno>

#include "common/transport/tcp_socket.h"
#include "common/transport/tls_stream.h"

namespace reelway::transport {

std::unique_ptr<ClientStream> make_client_stream(ring::Ring& ring, ClientStream::Owner& owner, TlsPeer* tls) {
  if (tls == nullptr) return std::make_unique<PlainStream>(ring, owner);
  return std::make_unique<TlsStream>(ring, owner, *tls);
}

PlainStream::~PlainStream() {
  if (fd_) ring_.close(fd_.release());
}

Result<void> PlainStream::connect(const sockaddr* address, socklen_t length) {
  auto made = tcp_socket(address->sa_family);
  if (!made.ok()) return std::move(made).error();
  fd_ = std::move(made).value();
  ring_.connect(connect_, fd_.get(), address, length);
  return {};
}

void PlainStream::send(ByteView bytes) {
  unsent_ = bytes;
  ring_.send(send_, fd_.get(), bytes, MSG_WAITALL);
}

void PlainStream::receive(std::span<std::uint8_t> target) {
  ring_.receive(receive_, fd_.get(), target);
}

ClientStream::Unasked PlainStream::unasked() {
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) return Unasked::bytes;
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? Unasked::nothing : Unasked::end;
}

void PlainStream::on_connected(std::int32_t result, std::uint32_t) {
  if (settled()) return;
  if (result < 0) return owner_.connected(connect_error("connect", -result));
  owner_.connected({});
}

void PlainStream::on_sent(std::int32_t result, std::uint32_t) {
  if (settled()) return;
  if (result >= 0 && static_cast<std::size_t>(result) < unsent_.size()) {
    return send(unsent_.subspan(static_cast<std::size_t>(result)));
  }
  owner_.sent(result);
}

void PlainStream::on_received(std::int32_t result, std::uint32_t) {
  if (!settled()) owner_.received(result);
}

bool PlainStream::cancel() {
  cancelled_ = true;
  if (connect_.in_flight()) ring_.cancel(connect_);
  if (send_.in_flight()) ring_.cancel(send_);
  if (receive_.in_flight()) ring_.cancel(receive_);
  return !busy();
}

// Whether the stream has been cancelled; the last of its operations says so to the owner.
bool PlainStream::settled() {
  if (cancelled_ && !busy()) owner_.quiet();
  return cancelled_;
}

}  // namespace reelway::transport
