#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/http/parser.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/net/exchange.h"

namespace reelway::edge {

class ClientConnection;

// What a connection needs only while a request is under way: from its first byte until its answer has left. Nearly all
// connections rest, so they hold none; and because the turn given back last is taken next, a busy edge works with few,
// whose memory is warm. The connection works on the members; the Exchange knows a turn as its stream.
class ClientTurn final : public ResponseStream {
 public:
  ClientTurn(ring::Ring& ring, const http::Limits& limits, ExchangeFactory& factory);

  const http::RequestHead& request() const override { return parser.head(); }
  std::string_view content() const override { return received_content; }
  std::optional<ClientAddress> peer_address() const override;
  bool may_keep_alive() const override;
  void write(Piece piece) override;
  void finish(bool keep_alive) override;
  void abort() override;

  ClientConnection* connection = nullptr;  // whose turn it is; null in the pool
  http::RequestParser parser;
  bool refusing = false;         // the piece in flight is our refusal of a malformed request
  bool parse_deferred = false;   // `pending` will be parsed later in this turn of the ring
  std::string received_content;  // of the request, as far as it has come; empty when content is dropped
  std::string pending;           // pipelined bytes after the request that is being answered

  // Takes the piece that is to be sent, and says in `runs` where its bytes lie; and what of them has left.
  void lay_out(Piece whole);
  void drop_sent(std::size_t bytes);

  Piece piece;
  std::string flat;  // a small piece in one run
  std::array<iovec, 3> runs{};
  msghdr message{};
  std::size_t unsent_bytes = 0;
  bool send_waits = false;      // in LargeSends
  bool socket_is_full = false;  // `send` waits until there is room for more of what goes by reference
  std::uint64_t acknowledged_bytes = 0;

  std::optional<Clock::Monotonic> deadline;
  Clock::Monotonic timer_at;
  ring::Timer timer;

 private:
  void on_sent(std::int32_t result, std::uint32_t flags);

 public:
  ring::Bound<ClientTurn, &ClientTurn::on_sent> send{*this};
  std::unique_ptr<Exchange> exchange;  // answers one request after another, of whichever connection has the turn
};

// The turns of one listener: those given to connections, and a few kept for the next ones. One ring thread.
class ClientTurns {
 public:
  // Of all requests under way together.
  static constexpr std::size_t kContentBytesMax = 64 * 1024 * 1024;
  static constexpr std::size_t kKeptMax = 256;  // 4 KiB each, and as much as the longest head they have seen

  ClientTurns(ring::Ring& ring, const http::Limits& limits, ExchangeFactory& factory);
  ~ClientTurns();

  ClientTurn& take(ClientConnection& connection);
  // May be called from inside the turn's exchange: what is not kept is destroyed later.
  void give_back(ClientTurn& turn);

  // False: kContentBytesMax is reached.
  bool keep_content(ClientTurn& turn, ByteView piece);
  void drop_content(ClientTurn& turn);

  // Whether the pool still is there, for what is deferred to later in the ring's turn.
  const std::shared_ptr<bool>& alive() const { return alive_; }

  std::size_t taken() const { return taken_; }
  std::size_t kept() const { return kept_.size(); }

 private:
  void condemn_surplus();

  ring::Ring& ring_;
  const http::Limits& limits_;
  ExchangeFactory& factory_;
  std::vector<std::unique_ptr<ClientTurn>> kept_;       // the one given back last at the end
  std::vector<std::unique_ptr<ClientTurn>> surplus_;    // given back in this turn of the ring
  std::vector<std::unique_ptr<ClientTurn>> condemned_;  // in the one before
  std::size_t taken_ = 0;
  std::size_t content_bytes_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for the deferred end of surplus turns
};

}  // namespace reelway::edge
