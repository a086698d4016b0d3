#include "edge/net/client_connection.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/http/serialize.h"

// A connection receives by one multishot operation that stays armed throughout, so the close of a client is seen also
// while its answer is under way. Bytes are parsed where they were received; only what comes while an answer is under
// way is copied, to the turn's `pending`, and above a bound receiving pauses until the answer is finished.
//
// One request is answered at a time, in order. A connection takes a turn with a request's first byte and gives it back
// when it rests again or is closed. The phases:
//
//   idle -> receiving -> answering -> idle ...     and at the end   answering -> lingering -> closing -> closed
//
// Every send is one operation with MSG_WAITALL: the kernel goes on with a partly sent body without waking this thread.
// How large a piece is, the exchange decides; so a slow client holds one piece's memory (which belongs to the stored
// object anyway) and never a fill.
//
// Deadlines of a turn are lazy: set_deadline() only notes the time; the one timer, when it fires early, is armed again.
// How long a connection may rest, its keeper watches.

namespace reelway::edge {
namespace {

constexpr std::chrono::milliseconds kLinger{1000};  // for the client to take the last answer and close

std::uint64_t acknowledged_by_peer(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return info.tcpi_bytes_acked;
}

}  // namespace

ClientConnection::ClientConnection(const Surroundings& surroundings, UniqueFd fd)
    : around_(surroundings), fd_(std::move(fd)) {}

ClientConnection::~ClientConnection() {
  if (turn_ == nullptr) return;
  if (turn_->send_waits) around_.large_sends.remove(*turn_);
  around_.turns.give_back(*turn_);
}

void ClientConnection::start() {
  rest();
  arm_receive();
}

void ClientConnection::rest() {
  phase_ = Phase::idle;
  if (turn_ != nullptr) around_.turns.give_back(*std::exchange(turn_, nullptr));
  around_.keeper.rests(*this);
}

void ClientConnection::arm_receive() {
  if (receive_.in_flight() || input_over_ || phase_ == Phase::closing || phase_ == Phase::closed) return;
  if (turn_ != nullptr && turn_->pending.size() > around_.limits.pending_bytes_pause) return;
  around_.ring.receive_multishot(receive_, fd_.get());
}

void ClientConnection::on_received(std::int32_t result, std::uint32_t flags) {
  const ring::ReceivedBytes bytes = around_.ring.received(result, flags);
  if (phase_ == Phase::closing) return close_when_quiet();
  if (result > 0) {
    around_.counters.received_bytes += static_cast<std::uint64_t>(result);
    take_input(bytes.view());
  } else if (result == 0) {
    input_ended();
  } else if (result != -ENOBUFS && result != -ECANCELED) {
    client_left();
  }
  arm_receive();
}

// A client may close its sending side and still wait for its answer.
void ClientConnection::input_ended() {
  input_over_ = true;
  if (phase_ != Phase::answering) close_now();
}

void ClientConnection::take_input(ByteView input) {
  switch (phase_) {
    case Phase::idle:
      around_.keeper.rests_no_longer(*this);
      turn_ = &around_.turns.take(*this);
      phase_ = Phase::receiving;
      return parse(input);
    case Phase::receiving: return turn_->parse_deferred ? keep_pending(input) : parse(input);
    case Phase::answering: return keep_pending(input);
    case Phase::lingering:
    case Phase::closing:
    case Phase::closed: return;
  }
}

void ClientConnection::keep_pending(ByteView input) {
  turn_->pending.append(as_text(input));
  if (turn_->pending.size() > around_.limits.pending_bytes_max) {
    ++around_.counters.malformed_requests;
    return client_left();
  }
  if (turn_->pending.size() > around_.limits.pending_bytes_pause) around_.ring.cancel(receive_);
}

void ClientConnection::parse(ByteView input) {
  while (true) {
    auto step = turn_->parser.feed(input);
    if (!step.ok()) return refuse(step.error());
    input = input.subspan(step->consumed);
    switch (step->event) {
      case http::ParseEvent::need_more:
        // From the request's first byte on, however slowly the others come.
        if (!turn_->deadline) set_deadline(around_.limits.header_timeout);
        return;
      case http::ParseEvent::head: begin_content(); continue;
      case http::ParseEvent::body:
        if (!keep_content(step->body)) return;
        continue;
      case http::ParseEvent::complete: break;
    }
    phase_ = Phase::answering;
    turn_->deadline.reset();
    ++around_.counters.requests;
    if (!input.empty()) keep_pending(input);
    if (phase_ == Phase::answering) turn_->exchange->begin();
    return;
  }
}

// A client that waits to be told before it sends content is told at once: what is refused for its head is refused all
// the same, for the content is awaited first. The line is a courtesy that must cost nothing, as such a client goes on
// without it: one send that does not wait.
void ClientConnection::begin_content() {
  const http::RequestHead& head = turn_->parser.head();
  if (!head.chunked && head.content_length.value_or(0) == 0) return;
  if (head.content_length.value_or(0) > around_.limits.message.body_bytes_max || head.minor_version == 0) return;
  const auto expectation = head.headers.find("Expect");
  if (!expectation || !http::names_equal(*expectation, "100-continue")) return;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  (void)::send(fd_.get(), kContinue.data(), kContinue.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// False: the request has been refused. Each piece gives time for the next one.
bool ClientConnection::keep_content(ByteView piece) {
  if (!around_.limits.keep_content) return true;
  turn_->deadline.reset();
  if (around_.turns.keep_content(*turn_, piece)) return true;
  refuse({ErrorCode::overloaded, Side::self, true, "too much content of requests is under way"});
  return false;
}

void ClientConnection::parse_pending() {
  turn_->parse_deferred = false;
  const std::string input = std::exchange(turn_->pending, {});
  parse(as_bytes(input));
  // What is left is the beginning of a request; without more input it never becomes one.
  if (phase_ == Phase::receiving && input_over_) close_now();
  arm_receive();
}

// The parser cannot go on after a malformed request, so neither can the connection.
void ClientConnection::refuse(const Error& error) {
  ++around_.counters.malformed_requests;
  phase_ = Phase::answering;
  turn_->refusing = true;
  write({.head = http::error_response(error, false), .body = {}, .tail = {}, .owner = nullptr});
}

bool ClientConnection::may_keep_alive() const {
  return turn_->parser.head().keep_alive && !around_.draining && !(input_over_ && turn_->pending.empty());
}

void ClientConnection::write(ResponseStream::Piece piece) {
  CHECK(phase_ == Phase::answering && !turn_->send.in_flight() && !turn_->send_waits);
  turn_->lay_out(std::move(piece));
  CHECK(turn_->unsent_bytes > 0);
  // A small send by reference could end here and now, with the exchange still on the stack.
  if (turn_->unsent_bytes < LargeSends::kLargeBytes) turn_->piece.lent = false;
  set_deadline(around_.limits.idle_timeout);
  send_rest();
}

void ClientConnection::send_rest() {
  if (turn_->unsent_bytes < LargeSends::kLargeBytes) return send_now();
  turn_->send_waits = true;
  around_.large_sends.add(*turn_);
}

void ClientConnection::send_now() {
  turn_->send_waits = false;
  turn_->piece.lent ? send_by_reference() : send_copy();
}

void ClientConnection::send_copy() {
  ClientTurn& turn = *turn_;
  if (turn.runs[0].iov_len == 0 && turn.runs[2].iov_len == 0) {
    const ByteView rest{static_cast<const std::uint8_t*>(turn.runs[1].iov_base), turn.runs[1].iov_len};
    return around_.ring.send(turn.send, fd_.get(), rest, MSG_WAITALL);
  }
  turn.message.msg_iov = turn.runs.data();
  turn.message.msg_iovlen = turn.runs.size();
  around_.ring.send_message(turn.send, fd_.get(), &turn.message, MSG_WAITALL);
}

// The ring tells when a full socket has room for more. What is in front of the body and behind it is copied, and how a
// connection fares that takes nothing, the ring's send says.
void ClientConnection::send_by_reference() {
  ClientTurn& turn = *turn_;
  const iovec& head = turn.runs[0];
  if (head.iov_len > 0) {
    const ssize_t sent = ::send(fd_.get(), head.iov_base, head.iov_len, MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) took(static_cast<std::size_t>(sent));
    if (head.iov_len > 0) return give_up_reference();
  }
  const iovec& body = turn.runs[1];
  const PagePipe::Sent sent =
      around_.page_pipe.send(fd_.get(), {static_cast<const std::uint8_t*>(body.iov_base), body.iov_len});
  took(sent.bytes);
  around_.counters.lent_bytes += sent.bytes;
  if (turn.unsent_bytes == 0) return piece_sent();
  if (sent.error != EAGAIN) return give_up_reference();
  turn.socket_is_full = true;
  around_.ring.wait_writable(turn.send, fd_.get());
}

void ClientConnection::give_up_reference() {
  turn_->piece.lent = false;
  send_copy();
}

void ClientConnection::took(std::size_t sent) {
  around_.counters.sent_bytes += sent;
  turn_->drop_sent(sent);
}

void ClientConnection::on_sent(std::int32_t result) {
  const bool had_been_full = std::exchange(turn_->socket_is_full, false);
  if (phase_ == Phase::closing) return close_when_quiet();
  if (result <= 0) return client_left();
  if (!had_been_full) took(static_cast<std::size_t>(result));
  turn_->unsent_bytes > 0 ? send_rest() : piece_sent();
}

void ClientConnection::piece_sent() {
  turn_->deadline.reset();
  turn_->piece.owner.reset();
  if (std::exchange(turn_->refusing, false)) return linger();
  turn_->exchange->written();
}

void ClientConnection::finish(bool keep_alive) {
  CHECK(phase_ == Phase::answering && !turn_->send.in_flight() && !turn_->send_waits);
  if (!keep_alive || around_.draining || (input_over_ && turn_->pending.empty())) return linger();
  if (turn_->pending.empty()) return rest();
  around_.turns.drop_content(*turn_);
  turn_->parser.reset();
  phase_ = Phase::receiving;
  parse_later();
}

// Not from finish(): the exchange is still on the stack.
void ClientConnection::parse_later() {
  set_deadline(around_.limits.header_timeout);
  turn_->parse_deferred = true;
  later([](ClientConnection& connection) {
    if (connection.turn_->parse_deferred) connection.parse_pending();
  });
}

// Later in this turn of the ring, for whoever has the ClientTurn then. It is there: one that is given back meanwhile is
// kept for a turn of the ring at least.
void ClientConnection::later(void (*what)(ClientConnection&)) {
  around_.ring.defer([turn = turn_, what, alive = around_.turns.alive()] {
    if (*alive && turn->connection != nullptr) what(*turn->connection);
  });
}

void ClientConnection::abort() {
  CHECK(phase_ == Phase::answering);
  ++around_.counters.aborted_answers;
  const struct linger reset = {1, 0};
  (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  phase_ = Phase::closing;
  around_.ring.cancel(receive_);
  if (std::exchange(turn_->send_waits, false)) around_.large_sends.remove(*turn_);
  around_.ring.cancel(turn_->send);
  // Not from here: the exchange is still on the stack, and may yet look at the request.
  later([](ClientConnection& connection) {
    if (connection.phase_ == Phase::closing) connection.close_when_quiet();
  });
}

// Closing at once could reset the connection while the answer is still on its way (RFC 9112 section 9.6).
void ClientConnection::linger() {
  phase_ = Phase::lingering;
  if (input_over_) return close_now();
  turn_->pending.clear();
  (void)::shutdown(fd_.get(), SHUT_WR);
  set_deadline(kLinger);
  arm_receive();
}

void ClientConnection::client_left() {
  if (phase_ == Phase::answering && !std::exchange(turn_->refusing, false)) {
    ++around_.counters.clients_gone;
    turn_->exchange->client_gone();
  }
  if (phase_ == Phase::idle) around_.keeper.rests_no_longer(*this);
  phase_ = Phase::closing;
  close_when_quiet();
}

void ClientConnection::close_if_idle() {
  if (phase_ == Phase::idle) close_now();
}

void ClientConnection::close_now() {
  if (phase_ == Phase::closing || phase_ == Phase::closed) return;
  client_left();
}

void ClientConnection::close_when_quiet() {
  if (phase_ == Phase::closed) return;
  if (receive_.in_flight()) around_.ring.cancel(receive_);
  if (turn_ != nullptr) {
    turn_->deadline.reset();
    turn_->parse_deferred = false;
    if (std::exchange(turn_->send_waits, false)) around_.large_sends.remove(*turn_);
    if (turn_->send.in_flight()) return around_.ring.cancel(turn_->send);
    around_.turns.give_back(*std::exchange(turn_, nullptr));
  }
  if (receive_.in_flight()) return;
  phase_ = Phase::closed;
  around_.ring.close(fd_.release());
  around_.keeper.closed(*this);
}

void ClientConnection::set_deadline(std::chrono::milliseconds after) {
  turn_->deadline = around_.clock.monotonic() + after;
  if (!turn_->timer.armed() || *turn_->deadline < turn_->timer_at) arm_deadline();
}

// The timer stays armed when the turn goes to another connection: it then finds that one's deadline, or none.
void ClientConnection::arm_deadline() {
  ClientTurn& turn = *turn_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*turn.deadline - around_.clock.monotonic());
  turn.timer_at = *turn.deadline;
  turn.timer.arm(std::max(left, std::chrono::milliseconds(1)), [&turn] {
    if (turn.connection != nullptr) turn.connection->on_deadline();
  });
}

void ClientConnection::on_deadline() {
  if (!turn_->deadline) return;
  if (around_.clock.monotonic() < *turn_->deadline) return arm_deadline();
  if (phase_ == Phase::answering) {
    if (send_progressed()) return set_deadline(around_.limits.idle_timeout);
    ++around_.counters.stalled_answers;
  }
  if (phase_ == Phase::receiving) ++around_.counters.header_timeouts;
  close_now();
}

// A piece may take long on a slow line. What counts is whether the client's side has acknowledged anything since the
// last look.
bool ClientConnection::send_progressed() {
  const std::uint64_t now = acknowledged_by_peer(fd_.get());
  return std::exchange(turn_->acknowledged_bytes, now) != now;
}

void ConnectionList::push_back(ClientConnection& connection) {
  connection.previous_ = last_;
  connection.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &connection;
  last_ = &connection;
}

void ConnectionList::remove(ClientConnection& connection) {
  (connection.previous_ != nullptr ? connection.previous_->next_ : first_) = connection.next_;
  (connection.next_ != nullptr ? connection.next_->previous_ : last_) = connection.previous_;
}

}  // namespace reelway::edge
