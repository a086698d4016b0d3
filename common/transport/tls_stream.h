#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/transport/client_stream.h"
#include "common/transport/tls_context.h"

struct bio_st;

namespace reelway::transport {

// TLS over the ring. OpenSSL sees two stretches of memory, never the socket: what was received is put into one, what it
// leaves in the other is sent. It computes on the ring's thread (a handshake takes one signature check, none when a
// session is resumed) and waits for nothing.
class TlsStream final : public ClientStream {
 public:
  TlsStream(ring::Ring& ring, Owner& owner, TlsPeer& peer);
  ~TlsStream() override;

  Result<void> connect(const sockaddr* address, socklen_t length) override;
  void send(ByteView bytes) override;
  void receive(std::span<std::uint8_t> target) override;
  bool sending() const override { return to_send_.has_value(); }
  bool receiving() const override { return target_.has_value(); }
  Unasked unasked() override;
  bool cancel() override;

 private:
  enum class Phase : std::uint8_t { connecting, handshake, open };

  void on_connected(std::int32_t result, std::uint32_t flags);
  void on_sent(std::int32_t result, std::uint32_t flags);
  void on_received(std::int32_t result, std::uint32_t flags);

  void shake_hands();
  Error handshake_error(int result);
  void decrypt();
  void finish_receive(std::int32_t result);
  void finish_send(std::int32_t result);
  void flush();
  void receive_more();
  bool busy() const { return connect_.in_flight() || send_.in_flight() || receive_.in_flight(); }
  bool settled();
  void say_goodbye();

  ring::Ring& ring_;
  Owner& owner_;
  TlsPeer& peer_;
  ssl_st* const ssl_;
  bio_st* const received_;  // owned by ssl_, as is left_
  bio_st* const left_;
  UniqueFd fd_;
  Phase phase_ = Phase::connecting;
  bool cancelled_ = false;
  std::optional<std::int32_t> ended_;  // what the last receive said, once it was no count
  std::optional<std::span<std::uint8_t>> target_;
  std::optional<std::size_t> to_send_;
  std::vector<std::uint8_t> in_;
  std::vector<std::uint8_t> out_;  // in flight, from out_begin_ on
  std::size_t out_begin_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for deferred calls
  ring::Bound<TlsStream, &TlsStream::on_connected> connect_{*this};
  ring::Bound<TlsStream, &TlsStream::on_sent> send_{*this};
  ring::Bound<TlsStream, &TlsStream::on_received> receive_{*this};
};

}  // namespace reelway::transport
