#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/unique_fd.h"
#include "common/http/parser.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/net/exchange.h"

namespace reelway::edge {

struct ClientLimits {
  http::Limits message{.body_bytes_max = 16 * 1024};  // no request here needs content; a little is read and dropped
  std::chrono::milliseconds header_timeout{10'000};   // from a request's first byte to its last
  std::chrono::milliseconds idle_timeout{60'000};     // between requests; and without progress of an answer
  std::size_t pending_bytes_pause = 64 * 1024;        // pipelined input above which receiving pauses
  std::size_t pending_bytes_max = 1024 * 1024;        // and above which the connection is closed
};

// Sums over all connections of a listener.
struct ClientCounters {
  std::uint64_t requests = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t malformed_requests = 0;
  std::uint64_t header_timeouts = 0;
  std::uint64_t stalled_answers = 0;  // closed because the client took nothing for idle_timeout
  std::uint64_t aborted_answers = 0;  // reset because the answer could not be completed
  std::uint64_t clients_gone = 0;     // left before their answer was complete
};

// One accepted HTTP/1.1 connection. Owns its descriptor, its parser and the Exchange that answers; the listener owns
// the connection and drops it when `closed` is called, at which point no operation is in flight.
class ClientConnection final : public ResponseStream {
 public:
  struct Surroundings {  // outlives every connection
    ring::Ring& ring;
    const Clock& clock;
    const ClientLimits& limits;
    ClientCounters& counters;
    const bool& draining;
    ExchangeFactory& factory;
  };

  ClientConnection(const Surroundings& surroundings, UniqueFd fd, std::function<void()> closed);
  ~ClientConnection();

  void start();
  // While draining: closes at once if nothing is being answered.
  void close_if_idle();
  void close_now();
  bool answering() const { return phase_ == Phase::answering; }

  const http::RequestHead& request() const override { return parser_.head(); }
  std::string peer_address() const override;
  bool may_keep_alive() const override;
  void write(Piece piece) override;
  void finish(bool keep_alive) override;
  void abort() override;

 private:
  enum class Phase : std::uint8_t {
    idle,       // between requests
    receiving,  // part of a request is here
    answering,  // the exchange has the request; further input waits in pending_
    lingering,  // the last answer has left; input is dropped until the client closes too
    closing,    // waits for operations to come back
    closed,
  };

  void on_received(std::int32_t result, std::uint32_t flags);
  void on_sent(std::int32_t result, std::uint32_t flags);
  void on_deadline();

  void arm_receive();
  void input_ended();
  void take_input(ByteView input);
  void parse(ByteView input);
  void keep_pending(ByteView input);
  void parse_pending();
  void refuse(const Error& error);
  void send_rest();
  void linger();
  void client_left();
  void close_when_quiet();
  void set_deadline(std::chrono::milliseconds after);
  void arm_deadline();
  bool send_progressed();

  Surroundings around_;
  UniqueFd fd_;
  std::function<void()> closed_;
  std::unique_ptr<Exchange> exchange_;
  http::RequestParser parser_;
  Phase phase_ = Phase::idle;
  bool input_over_ = false;  // the client sent FIN
  bool refusing_ = false;    // the piece in flight is our refusal of a malformed request
  bool parse_deferred_ = false;
  std::string pending_;  // pipelined bytes after the request that is being answered

  Piece piece_;
  std::array<iovec, 3> runs_{};
  msghdr message_{};
  std::size_t unsent_bytes_ = 0;
  std::uint64_t acknowledged_bytes_ = 0;

  std::optional<Clock::Monotonic> deadline_;
  Clock::Monotonic timer_at_;
  ring::Timer timer_;
  ring::Bound<ClientConnection, &ClientConnection::on_received> receive_{*this};
  ring::Bound<ClientConnection, &ClientConnection::on_sent> send_{*this};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for deferred calls
};

}  // namespace reelway::edge
