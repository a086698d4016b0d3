#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/base/unique_fd.h"
#include "common/http/limits.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "edge/net/client_turn.h"
#include "edge/net/exchange.h"
#include "edge/net/large_sends.h"
#include "edge/net/page_pipe.h"

namespace reelway::edge {

struct ClientLimits {
  http::Limits message{.body_bytes_max = 16 * 1024};  // no request here needs content; a little is read and dropped
  bool keep_content = false;                          // for whoever answers, up to message.body_bytes_max
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
  std::uint64_t lent_bytes = 0;  // of them, by reference
  std::uint64_t malformed_requests = 0;
  std::uint64_t header_timeouts = 0;
  std::uint64_t stalled_answers = 0;  // closed because the client took nothing for idle_timeout
  std::uint64_t aborted_answers = 0;  // reset because the answer could not be completed
  std::uint64_t clients_gone = 0;     // left before their answer was complete
};

// One accepted HTTP/1.1 connection. While it rests it is this object and an armed receive, nothing else; a request
// under way has a ClientTurn besides. Owns its descriptor; its Keeper owns the connection and drops it some time after
// closed(), when no operation is in flight.
class ClientConnection {
 public:
  class Keeper {
   public:
    // Between requests, with nothing in hand; and no longer so. The keeper ends a rest that is too long.
    virtual void rests(ClientConnection& connection) = 0;
    virtual void rests_no_longer(ClientConnection& connection) = 0;
    // The connection's own functions may be on the stack.
    virtual void closed(ClientConnection& connection) = 0;

   protected:
    ~Keeper() = default;
  };

  struct Surroundings {  // one for all connections of a listener; outlives them
    ring::Ring& ring;
    const Clock& clock;
    const ClientLimits& limits;
    ClientCounters& counters;
    const bool& draining;
    ClientTurns& turns;
    LargeSends& large_sends;
    PagePipe& page_pipe;
    Keeper& keeper;
  };

  ClientConnection(const Surroundings& surroundings, UniqueFd fd);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void start();
  // While draining: closes at once if nothing is being received or answered.
  void close_if_idle();
  void close_now();

  // For its turn: what ResponseStream asks for, and the end of a send.
  std::optional<ClientAddress> peer_address() const { return ClientAddress::of_peer(fd_.get()); }
  bool may_keep_alive() const;
  void write(ResponseStream::Piece piece);
  void finish(bool keep_alive);
  void abort();
  void on_sent(std::int32_t result);
  void send_now();  // by LargeSends

 private:
  friend class ConnectionList;

  enum class Phase : std::uint8_t {
    idle,       // between requests; has no turn
    receiving,  // part of a request is here
    answering,  // the exchange has the request; further input waits in the turn
    lingering,  // the last answer has left; input is dropped until the client closes too
    closing,    // waits for operations to come back
    closed,
  };

  void on_received(std::int32_t result, std::uint32_t flags);
  void on_deadline();

  void arm_receive();
  void input_ended();
  void take_input(ByteView input);
  void parse(ByteView input);
  void keep_pending(ByteView input);
  void parse_pending();
  void refuse(const Error& error);
  void begin_content();
  bool keep_content(ByteView piece);
  void send_rest();
  void send_copy();
  void send_by_reference();
  void give_up_reference();
  void took(std::size_t sent);
  void piece_sent();
  void rest();
  void parse_later();
  void later(void (*what)(ClientConnection&));
  void linger();
  void client_left();
  void close_when_quiet();
  void set_deadline(std::chrono::milliseconds after);
  void arm_deadline();
  bool send_progressed();

  // Ten thousand of these rest on a small edge: each member counts.
  const Surroundings& around_;
  ClientTurn* turn_ = nullptr;
  UniqueFd fd_;
  Phase phase_ = Phase::closed;
  bool input_over_ = false;  // the client sent FIN
  ClientConnection* previous_ = nullptr;
  ClientConnection* next_ = nullptr;
  ring::Bound<ClientConnection, &ClientConnection::on_received> receive_{*this};

 public:
  Clock::Monotonic rests_until{};  // the keeper's
};

// Connections in a row, linked through themselves; each is in one list at most. Owns none.
class ConnectionList {
 public:
  void push_back(ClientConnection& connection);
  void remove(ClientConnection& connection);
  ClientConnection* front() const { return first_; }
  static ClientConnection* after(const ClientConnection& connection) { return connection.next_; }

 private:
  ClientConnection* first_ = nullptr;
  ClientConnection* last_ = nullptr;
};

}  // namespace reelway::edge
