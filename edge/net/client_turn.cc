#include "edge/net/client_turn.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "edge/net/client_connection.h"

namespace reelway::edge {
namespace {

// A turn that has held much pipelined input does not keep its memory.
constexpr std::size_t kPendingKeptBytes = 4 * 1024;
// A piece of at most this is copied into one run: cheaper than what the kernel does with several.
constexpr std::size_t kFlatBytesMax = 8 * 1024;

iovec run_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

ClientTurn::ClientTurn(ring::Ring& ring, const http::Limits& limits, ExchangeFactory& factory)
    : parser(limits), timer(ring), exchange(factory.make_exchange(*this)) {}

std::optional<ClientAddress> ClientTurn::peer_address() const {
  return connection->peer_address();
}

bool ClientTurn::may_keep_alive() const {
  return connection->may_keep_alive();
}

void ClientTurn::write(Piece the_piece) {
  connection->write(std::move(the_piece));
}

void ClientTurn::lay_out(Piece whole) {
  piece = std::move(whole);
  unsent_bytes = piece.head.size() + piece.body.size() + piece.tail.size();
  if (unsent_bytes <= kFlatBytesMax) {
    flat.assign(piece.head).append(as_text(piece.body)).append(piece.tail);
    piece.owner.reset();
    runs = {iovec{}, run_of(flat), iovec{}};
  } else {
    runs = {run_of(piece.head), run_of(as_text(piece.body)), run_of(piece.tail)};
  }
}

void ClientTurn::drop_sent(std::size_t bytes) {
  unsent_bytes -= bytes;
  for (iovec& run : runs) {
    const std::size_t taken = std::min(bytes, run.iov_len);
    run.iov_base = static_cast<std::uint8_t*>(run.iov_base) + taken;
    run.iov_len -= taken;
    bytes -= taken;
  }
}

void ClientTurn::finish(bool keep_alive) {
  connection->finish(keep_alive);
}

void ClientTurn::abort() {
  connection->abort();
}

void ClientTurn::on_sent(std::int32_t result, std::uint32_t) {
  connection->on_sent(result);
}

ClientTurns::ClientTurns(ring::Ring& ring, const http::Limits& limits, ExchangeFactory& factory)
    : ring_(ring), limits_(limits), factory_(factory) {}

ClientTurns::~ClientTurns() {
  CHECK(taken_ == 0);
  *alive_ = false;
}

ClientTurn& ClientTurns::take(ClientConnection& connection) {
  if (kept_.empty()) kept_.push_back(std::make_unique<ClientTurn>(ring_, limits_, factory_));
  ClientTurn& turn = *kept_.back().release();
  kept_.pop_back();
  turn.connection = &connection;
  ++taken_;
  return turn;
}

bool ClientTurns::keep_content(ClientTurn& turn, ByteView piece) {
  if (content_bytes_ + piece.size() > kContentBytesMax) return false;
  content_bytes_ += piece.size();
  turn.received_content.append(as_text(piece));
  return true;
}

void ClientTurns::drop_content(ClientTurn& turn) {
  if (turn.received_content.empty()) return;
  content_bytes_ -= turn.received_content.size();
  turn.received_content = {};
}

void ClientTurns::give_back(ClientTurn& turn) {
  drop_content(turn);
  CHECK(taken_ > 0 && !turn.send.in_flight());
  std::unique_ptr<ClientTurn> owned(&turn);
  --taken_;
  turn.connection = nullptr;
  turn.parser.reset();
  turn.refusing = turn.parse_deferred = turn.send_waits = false;
  turn.piece.owner.reset();
  turn.deadline.reset();
  turn.acknowledged_bytes = 0;
  if (turn.pending.capacity() > kPendingKeptBytes) {
    turn.pending = {};
  } else {
    turn.pending.clear();
  }
  if (kept_.size() < kKeptMax) return kept_.push_back(std::move(owned));
  if (surplus_.empty()) {
    ring_.defer([this, alive = alive_] {
      if (*alive) condemn_surplus();
    });
  }
  surplus_.push_back(std::move(owned));
}

// What was deferred for a turn given back within this turn of the ring may come after this, so they go in the next one.
void ClientTurns::condemn_surplus() {
  condemned_ = std::exchange(surplus_, {});
  ring_.defer([this, alive = alive_] {
    if (*alive) condemned_.clear();
  });
}

}  // namespace reelway::edge
