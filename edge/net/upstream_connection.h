#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/http/parser.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/net/socket_address.h"
#include "edge/net/upstream_call.h"

namespace reelway::edge {

struct UpstreamTimeouts {
  std::chrono::milliseconds connect{2'000};
  std::chrono::milliseconds first_byte{10'000};  // from the request's last byte to the end of the response's head
  std::chrono::milliseconds idle{10'000};        // the longest silence inside a body; how long an unused one is kept
};

// One connection to the upstream: connects, carries one call at a time, rests in the pool between calls. The pool owns
// it and learns of its ends through Owner.
class UpstreamConnection {
 public:
  class Owner {
   public:
    // The call is over and the connection may carry another.
    virtual void became_idle(UpstreamConnection& connection) = 0;
    // No operation is in flight: destroy it. `unanswered` is a call whose request this connection had carried
    // before and that got no byte of an answer: the upstream closed an old connection, so the call may be repeated
    // on another.
    virtual void closed(UpstreamConnection& connection, UpstreamCall* unanswered) = 0;

   protected:
    ~Owner() = default;
  };

  UpstreamConnection(ring::Ring& ring, Owner& owner, const SocketAddress& address, std::string_view name,
                     const UpstreamTimeouts& timeouts);

  void start(UpstreamCall& call);  // connects first when it is new
  bool idle() const { return phase_ == Phase::idle; }
  bool carries_call() const { return call_ != nullptr; }
  void close(const Error& reason);

 private:
  enum class Phase : std::uint8_t { fresh, connecting, idle, awaiting_head, body, closing };

  void on_connected(std::int32_t result, std::uint32_t flags);
  void on_sent(std::int32_t result, std::uint32_t flags);
  void on_received(std::int32_t result, std::uint32_t flags);
  void on_timeout();

  void connect();
  void send_request();
  void send_rest();
  void receive_next();
  void received_in_buffer(ByteView input);
  void received_in_place(std::size_t count);
  void end_of_stream();
  bool take_head();
  bool take_body(ByteView piece);
  void finish_call();
  void drop_call();
  void fail(Error error);
  void close_when_quiet();
  void arm_timeout(std::chrono::milliseconds after);

  ring::Ring& ring_;
  Owner& owner_;
  const SocketAddress& address_;
  const std::string_view name_;
  const UpstreamTimeouts& timeouts_;
  UniqueFd fd_;
  Phase phase_ = Phase::fresh;
  UpstreamCall* call_ = nullptr;
  UpstreamCall* unanswered_ = nullptr;
  std::optional<Error> failure_;  // told to the call when the last operation has come back
  std::size_t calls_begun_ = 0;
  bool answer_begun_ = false;  // a byte of the response has arrived
  std::size_t sent_bytes_ = 0;
  http::ResponseParser parser_;
  std::optional<std::uint64_t> in_place_left_;  // of a body with Content-Length; the parser does not see those bytes
  bool receiving_in_place_ = false;
  std::vector<std::uint8_t> buffer_;
  ring::Timer timer_;
  ring::Bound<UpstreamConnection, &UpstreamConnection::on_connected> connect_{*this};
  ring::Bound<UpstreamConnection, &UpstreamConnection::on_sent> send_{*this};
  ring::Bound<UpstreamConnection, &UpstreamConnection::on_received> receive_{*this};
};

}  // namespace reelway::edge
