#pragma once

#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/transport/client_stream.h"

namespace reelway::transport {

// TCP as it is: sends and receives go straight to the caller's memory.
class PlainStream final : public ClientStream {
 public:
  PlainStream(ring::Ring& ring, Owner& owner) : ring_(ring), owner_(owner) {}
  ~PlainStream() override;

  Result<void> connect(const sockaddr* address, socklen_t length) override;
  void send(ByteView bytes) override;
  void receive(std::span<std::uint8_t> target) override;
  bool sending() const override { return send_.in_flight(); }
  bool receiving() const override { return receive_.in_flight(); }
  Unasked unasked() override;
  bool cancel() override;

 private:
  void on_connected(std::int32_t result, std::uint32_t flags);
  void on_sent(std::int32_t result, std::uint32_t flags);
  void on_received(std::int32_t result, std::uint32_t flags);
  bool busy() const { return connect_.in_flight() || send_.in_flight() || receive_.in_flight(); }
  bool settled();

  ring::Ring& ring_;
  Owner& owner_;
  UniqueFd fd_;
  ByteView unsent_;
  bool cancelled_ = false;
  ring::Bound<PlainStream, &PlainStream::on_connected> connect_{*this};
  ring::Bound<PlainStream, &PlainStream::on_sent> send_{*this};
  ring::Bound<PlainStream, &PlainStream::on_received> receive_{*this};
};

}  // namespace reelway::transport
