#include "common/transport/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/transport/tcp_socket.h"

// connecting -> handshake -> open.
//
// The socket is read only while somebody wants something of it: the handshake, or the owner's receive. What is read may
// be TLS's own (tickets, key updates): then it is read on, and the owner hears nothing. Whatever OpenSSL was asked, it
// may have left bytes to send, so flush() follows each call of it.

namespace reelway::transport {
namespace {

constexpr std::size_t kInBytes = 64 * 1024;  // a few records

std::string reason_text() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "the connection closed" : reason;
}

}  // namespace

TlsStream::TlsStream(ring::Ring& ring, Owner& owner, TlsPeer& peer)
    : ring_(ring),
      owner_(owner),
      peer_(peer),
      ssl_(peer.make()),
      received_(BIO_new(BIO_s_mem())),
      left_(BIO_new(BIO_s_mem())) {
  CHECK(received_ != nullptr && left_ != nullptr);
  // Empty means "no more yet", not the end.
  BIO_set_mem_eof_return(received_, -1);
  BIO_set_mem_eof_return(left_, -1);
  SSL_set_bio(ssl_, received_, left_);
}

TlsStream::~TlsStream() {
  *alive_ = false;
  say_goodbye();
  SSL_free(ssl_);
  if (fd_) ring_.close(fd_.release());
}

// Tells the server that this is the end, if the socket takes it at once. Without it a session may not be resumed.
void TlsStream::say_goodbye() {
  if (phase_ != Phase::open || ended_ || !out_.empty()) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_);
  ERR_clear_error();
  std::uint8_t alert[256];
  const int count = BIO_read(left_, alert, sizeof alert);
  if (count > 0) (void)::send(fd_.get(), alert, static_cast<std::size_t>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
}

Result<void> TlsStream::connect(const sockaddr* address, socklen_t length) {
  auto made = tcp_socket(address->sa_family);
  if (!made.ok()) return std::move(made).error();
  fd_ = std::move(made).value();
  in_.resize(kInBytes);
  ring_.connect(connect_, fd_.get(), address, length);
  return {};
}

void TlsStream::on_connected(std::int32_t result, std::uint32_t) {
  if (settled()) return;
  if (result < 0) return owner_.connected(connect_error("connect", -result));
  phase_ = Phase::handshake;
  shake_hands();
}

void TlsStream::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    phase_ = Phase::open;
    ++peer_.counters_.handshakes;
    if (SSL_session_reused(ssl_) == 1) ++peer_.counters_.resumed;
    flush();
    return owner_.connected({});
  }
  const bool goes_on = SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ && !ended_;
  if (goes_on) {
    flush();
    return receive_more();
  }
  ++peer_.counters_.failed;
  Error error = handshake_error(result);
  flush();  // the alert that tells the server why
  owner_.connected(std::move(error));
}

Error TlsStream::handshake_error(int result) {
  const long verdict = SSL_get_verify_result(ssl_);
  const std::string reason = SSL_get_error(ssl_, result) == SSL_ERROR_SSL ? reason_text() : "the connection closed";
  if (verdict != X509_V_OK) {
    return {ErrorCode::upstream_untrusted, Side::upstream, true,
            std::string("its certificate: ") + X509_verify_cert_error_string(verdict)};
  }
  return {ErrorCode::upstream_unreachable, Side::upstream, true, "TLS handshake: " + reason};
}

void TlsStream::send(ByteView bytes) {
  CHECK(phase_ == Phase::open && !to_send_);
  to_send_ = bytes.size();
  ERR_clear_error();
  // Into memory, so all of it is taken at once or nothing ever will be.
  std::size_t taken = 0;
  const bool done = bytes.empty() || SSL_write_ex(ssl_, bytes.data(), bytes.size(), &taken) == 1;
  if (done && !bytes.empty()) return flush();
  ring_.defer([this, alive = alive_, done] {
    if (*alive && !cancelled_) finish_send(done ? 0 : -EPROTO);
  });
}

// What OpenSSL has left, one run at a time.
void TlsStream::flush() {
  if (send_.in_flight()) return;
  const std::size_t pending = BIO_ctrl_pending(left_);
  if (pending == 0) {
    out_.clear();
    if (to_send_ && out_begin_ > 0) finish_send(static_cast<std::int32_t>(std::exchange(out_begin_, 0)));
    return;
  }
  out_.resize(pending);
  out_begin_ = 0;
  CHECK(BIO_read(left_, out_.data(), static_cast<int>(pending)) == static_cast<int>(pending));
  ring_.send(send_, fd_.get(), out_, MSG_WAITALL);
}

void TlsStream::on_sent(std::int32_t result, std::uint32_t) {
  if (settled()) return;
  if (result < 0) return to_send_ ? finish_send(result) : void();
  out_begin_ += static_cast<std::size_t>(result);
  if (out_begin_ < out_.size()) {
    return ring_.send(send_, fd_.get(), ByteView(out_).subspan(out_begin_), MSG_WAITALL);
  }
  flush();
}

void TlsStream::finish_send(std::int32_t result) {
  to_send_.reset();
  owner_.sent(result);
}

void TlsStream::receive(std::span<std::uint8_t> target) {
  CHECK(phase_ == Phase::open && !target_ && !target.empty());
  target_ = target;
  const bool here = SSL_pending(ssl_) > 0 || BIO_ctrl_pending(received_) > 0 || ended_.has_value();
  if (!here) return receive_more();
  ring_.defer([this, alive = alive_] {
    if (*alive && !cancelled_ && target_) decrypt();
  });
}

void TlsStream::receive_more() {
  if (!receive_.in_flight()) ring_.receive(receive_, fd_.get(), in_);
}

void TlsStream::on_received(std::int32_t result, std::uint32_t) {
  if (settled()) return;
  if (result > 0) {
    CHECK(BIO_write(received_, in_.data(), result) == result);
  } else {
    ended_ = result;
  }
  if (phase_ == Phase::handshake) return shake_hands();
  if (target_) decrypt();
}

// As many records as there are and the target takes.
void TlsStream::decrypt() {
  std::size_t filled = 0;
  int outcome = SSL_ERROR_NONE;
  while (filled < target_->size() && outcome == SSL_ERROR_NONE) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_, target_->data() + filled, target_->size() - filled, &count);
    if (result == 1) {
      filled += count;
    } else {
      outcome = SSL_get_error(ssl_, result);
    }
  }
  flush();
  if (filled > 0) return finish_receive(static_cast<std::int32_t>(filled));
  if (outcome == SSL_ERROR_ZERO_RETURN) return finish_receive(0);
  if (outcome != SSL_ERROR_WANT_READ) return finish_receive(-EPROTO);
  if (ended_) return finish_receive(*ended_ < 0 ? *ended_ : -ECONNRESET);
  receive_more();
}

void TlsStream::finish_receive(std::int32_t result) {
  target_.reset();
  owner_.received(result);
}

ClientStream::Unasked TlsStream::unasked() {
  std::uint8_t byte = 0;
  std::size_t count = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_, &byte, 1, &count);
  const int outcome = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  flush();
  if (outcome == SSL_ERROR_NONE) return Unasked::bytes;
  return outcome == SSL_ERROR_WANT_READ && !ended_ ? Unasked::nothing : Unasked::end;
}

bool TlsStream::cancel() {
  cancelled_ = true;
  if (connect_.in_flight()) ring_.cancel(connect_);
  if (send_.in_flight()) ring_.cancel(send_);
  if (receive_.in_flight()) ring_.cancel(receive_);
  return !busy();
}

bool TlsStream::settled() {
  if (cancelled_ && !busy()) owner_.quiet();
  return cancelled_;
}

}  // namespace reelway::transport
