#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "common/http/content_coding.h"
#include "common/http/parser.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "common/transport/client_stream.h"
#include "edge/net/socket_address.h"
#include "edge/net/upstream_call.h"

namespace reelway::edge {

struct UpstreamTimeouts {
  std::chrono::milliseconds connect{2'000};      // TLS included
  std::chrono::milliseconds first_byte{10'000};  // from the request's last byte to the end of the response's head
  std::chrono::milliseconds idle{10'000};        // the longest silence inside a body; how long an unused one is kept
  // The least that must come of a body in each `idle`, so that an upstream that sends a byte now and then holds a
  // connection no longer than a silent one. 0: no limit, for answers that are streams of events.
  std::uint64_t progress_bytes_min = 0;
};

// One connection to the upstream: connects, carries one call at a time, rests in the pool between calls. The pool owns
// it and learns of its ends through Owner.
class UpstreamConnection final : private transport::ClientStream::Owner {
 public:
  class Owner {
   public:
    // The call is over and the connection may carry another.
    virtual void became_idle(UpstreamConnection& connection) = 0;
    // No operation is in flight: destroy it. `unanswered` is a call that this connection was to carry after others and
    // that may be repeated on another: the upstream has closed, or was out of step, before any of an answer to it.
    virtual void closed(UpstreamConnection& connection, UpstreamCall* unanswered) = 0;

   protected:
    ~Owner() = default;
  };

  // `tls`: null for a plain connection. What is given by reference must outlive the connection.
  UpstreamConnection(ring::Ring& ring, Owner& owner, const SocketAddress& address, std::string_view name,
                     transport::TlsPeer* tls, const UpstreamTimeouts& timeouts);

  void start(UpstreamCall& call);  // connects first when it is new
  bool idle() const { return phase_ == Phase::idle; }
  bool carries_call() const { return call_ != nullptr; }
  void close(const Error& reason);

 private:
  enum class Phase : std::uint8_t { fresh, connecting, idle, awaiting_head, body, closing };

  void connected(Result<void> outcome) override;
  void sent(std::int32_t result) override;
  void received(std::int32_t result) override;
  void quiet() override;
  void on_timeout();
  void check_progress();

  void connect();
  Error named(Error error) const;
  void send_request();
  void receive_next();
  void received_in_buffer(ByteView input);
  void received_in_place(std::size_t count);
  void end_of_stream();
  void broken(std::string_view how);
  bool take_interim();
  bool take_head();
  bool take_body(ByteView piece);
  bool take_piece(ByteView piece);
  void finish_call();
  void drop_call();
  void fail(Error error);
  void repeat_or_fail(Error reason);
  void close_when_quiet();
  void arm_timeout(std::chrono::milliseconds after);

  ring::Ring& ring_;
  Owner& owner_;
  const SocketAddress& address_;
  const std::string_view name_;
  const UpstreamTimeouts& timeouts_;
  const std::unique_ptr<transport::ClientStream> stream_;
  Phase phase_ = Phase::fresh;
  UpstreamCall* call_ = nullptr;
  UpstreamCall* unanswered_ = nullptr;
  std::optional<Error> failure_;  // told to the call when the last operation has come back
  std::size_t calls_begun_ = 0;
  bool answer_begun_ = false;       // a byte of the response has arrived
  std::uint64_t request_turn_ = 0;  // of the ring, in which the request was handed over
  std::size_t interim_heads_ = 0;
  http::CodingCheck coding_{std::string_view{}};
  std::uint64_t window_bytes_ = 0;  // of the body, since progress was last looked at
  http::ResponseParser parser_;
  std::optional<std::uint64_t> in_place_left_;  // of a body with Content-Length; the parser does not see those bytes
  bool receiving_in_place_ = false;
  std::span<std::uint8_t> in_place_;  // where the receive in flight lands
  std::vector<std::uint8_t> buffer_;
  ring::Timer timer_;
  ring::Timer progress_timer_;
};

}  // namespace reelway::edge
