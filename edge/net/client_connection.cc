#include "edge/net/client_connection.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/http/serialize.h"

// A connection receives by one multishot operation that stays armed throughout, so the close of a client is seen also
// while its answer is under way. Bytes are parsed where they were received; only what comes while an answer is under
// way is copied, to pending_, and above a bound receiving pauses until the answer is finished.
//
// One request is answered at a time, in order. The phases:
//
//   idle -> receiving -> answering -> idle ...     and at the end   answering -> lingering -> closing -> closed
//
// Every send is one operation with MSG_WAITALL: the kernel goes on with a partly sent body without waking this thread.
// How large a piece is, the exchange decides; so a slow client holds one piece's memory (which belongs to the stored
// object anyway) and never a fill.
//
// Deadlines are lazy: set_deadline() only notes the time; the one timer, when it fires early, is armed again.

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

ClientConnection::ClientConnection(const Surroundings& surroundings, UniqueFd fd, std::function<void()> closed)
    : around_(surroundings),
      fd_(std::move(fd)),
      closed_(std::move(closed)),
      parser_(surroundings.limits.message),
      timer_(surroundings.ring) {}

ClientConnection::~ClientConnection() {
  *alive_ = false;
}

void ClientConnection::start() {
  exchange_ = around_.factory.make_exchange(*this);
  set_deadline(around_.limits.idle_timeout);
  arm_receive();
}

void ClientConnection::arm_receive() {
  if (receive_.in_flight() || input_over_ || phase_ == Phase::closing || phase_ == Phase::closed) return;
  if (pending_.size() > around_.limits.pending_bytes_pause) return;
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
    case Phase::receiving: return parse(input);
    case Phase::answering: return keep_pending(input);
    case Phase::lingering:
    case Phase::closing:
    case Phase::closed: return;
  }
}

void ClientConnection::keep_pending(ByteView input) {
  pending_.append(as_text(input));
  if (pending_.size() > around_.limits.pending_bytes_max) {
    ++around_.counters.malformed_requests;
    return client_left();
  }
  if (pending_.size() > around_.limits.pending_bytes_pause) around_.ring.cancel(receive_);
}

void ClientConnection::parse(ByteView input) {
  while (true) {
    auto step = parser_.feed(input);
    if (!step.ok()) return refuse(step.error());
    input = input.subspan(step->consumed);
    switch (step->event) {
      case http::ParseEvent::need_more:
        if (phase_ == Phase::idle) {
          phase_ = Phase::receiving;
          set_deadline(around_.limits.header_timeout);
        }
        return;
      case http::ParseEvent::head:
      case http::ParseEvent::body: continue;
      case http::ParseEvent::complete: break;
    }
    phase_ = Phase::answering;
    deadline_.reset();
    ++around_.counters.requests;
    if (!input.empty()) keep_pending(input);
    if (phase_ == Phase::answering) exchange_->begin();
    return;
  }
}

void ClientConnection::parse_pending() {
  if (phase_ != Phase::idle || pending_.empty()) return;
  const std::string input = std::exchange(pending_, {});
  parse(as_bytes(input));
  if (phase_ == Phase::idle || phase_ == Phase::receiving) {
    // What is left is the beginning of a request; without more input it never becomes one.
    if (input_over_) close_now();
  }
  arm_receive();
}

// The parser cannot go on after a malformed request, so neither can the connection.
void ClientConnection::refuse(const Error& error) {
  ++around_.counters.malformed_requests;
  phase_ = Phase::answering;
  refusing_ = true;
  write({.head = http::error_response(error, false), .body = {}, .tail = {}, .owner = nullptr});
}

bool ClientConnection::may_keep_alive() const {
  return parser_.head().keep_alive && !around_.draining && !(input_over_ && pending_.empty());
}

std::string ClientConnection::peer_address() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return "-";
  char text[INET6_ADDRSTRLEN] = "-";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&address)->sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr, text, sizeof text);
  }
  return text;
}

void ClientConnection::write(Piece piece) {
  CHECK(phase_ == Phase::answering && !send_.in_flight());
  piece_ = std::move(piece);
  const auto run = [](const void* bytes, std::size_t size) { return iovec{const_cast<void*>(bytes), size}; };
  runs_ = {run(piece_.head.data(), piece_.head.size()), run(piece_.body.data(), piece_.body.size()),
           run(piece_.tail.data(), piece_.tail.size())};
  unsent_bytes_ = piece_.head.size() + piece_.body.size() + piece_.tail.size();
  CHECK(unsent_bytes_ > 0);
  set_deadline(around_.limits.idle_timeout);
  send_rest();
}

void ClientConnection::send_rest() {
  if (runs_[0].iov_len == 0 && runs_[2].iov_len == 0) {
    const ByteView rest{static_cast<const std::uint8_t*>(runs_[1].iov_base), runs_[1].iov_len};
    return around_.ring.send(send_, fd_.get(), rest, MSG_WAITALL);
  }
  message_ = {};
  message_.msg_iov = runs_.data();
  message_.msg_iovlen = runs_.size();
  around_.ring.send_message(send_, fd_.get(), &message_, MSG_WAITALL);
}

void ClientConnection::on_sent(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::closing) return close_when_quiet();
  if (result <= 0) return client_left();
  auto sent = static_cast<std::size_t>(result);
  around_.counters.sent_bytes += sent;
  unsent_bytes_ -= sent;
  if (unsent_bytes_ > 0) {
    for (iovec& run : runs_) {
      const std::size_t taken = std::min(sent, run.iov_len);
      run.iov_base = static_cast<std::uint8_t*>(run.iov_base) + taken;
      run.iov_len -= taken;
      sent -= taken;
    }
    return send_rest();
  }
  deadline_.reset();
  piece_.owner.reset();
  if (std::exchange(refusing_, false)) return linger();
  exchange_->written();
}

void ClientConnection::finish(bool keep_alive) {
  CHECK(phase_ == Phase::answering && !send_.in_flight());
  if (!keep_alive || around_.draining || (input_over_ && pending_.empty())) return linger();
  parser_.reset();
  phase_ = Phase::idle;
  set_deadline(around_.limits.idle_timeout);
  if (pending_.empty() || std::exchange(parse_deferred_, true)) return;
  // Not from here: the exchange is still on the stack.
  around_.ring.defer([this, alive = alive_] {
    if (!*alive) return;
    parse_deferred_ = false;
    parse_pending();
  });
}

void ClientConnection::abort() {
  CHECK(phase_ == Phase::answering);
  ++around_.counters.aborted_answers;
  const struct linger reset = {1, 0};
  (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  phase_ = Phase::closing;
  close_when_quiet();
}

// Closing at once could reset the connection while the answer is still on its way (RFC 9112 section 9.6).
void ClientConnection::linger() {
  phase_ = Phase::lingering;
  if (input_over_) return close_now();
  pending_.clear();
  (void)::shutdown(fd_.get(), SHUT_WR);
  set_deadline(kLinger);
  arm_receive();
}

void ClientConnection::client_left() {
  if (phase_ == Phase::answering && !std::exchange(refusing_, false)) {
    ++around_.counters.clients_gone;
    exchange_->client_gone();
  }
  phase_ = Phase::closing;
  close_when_quiet();
}

void ClientConnection::close_if_idle() {
  if (phase_ == Phase::idle && !parse_deferred_) close_now();
}

void ClientConnection::close_now() {
  if (phase_ == Phase::closing || phase_ == Phase::closed) return;
  client_left();
}

void ClientConnection::close_when_quiet() {
  deadline_.reset();
  timer_.disarm();
  if (receive_.in_flight()) around_.ring.cancel(receive_);
  if (send_.in_flight()) around_.ring.cancel(send_);
  if (receive_.in_flight() || send_.in_flight() || phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  piece_ = {};
  around_.ring.close(fd_.release());
  // Not from here: the exchange or this connection's own functions may be on the stack.
  around_.ring.defer([this, alive = alive_] {
    if (*alive) closed_();
  });
}

void ClientConnection::set_deadline(std::chrono::milliseconds after) {
  deadline_ = around_.clock.monotonic() + after;
  if (!timer_.armed() || *deadline_ < timer_at_) arm_deadline();
}

void ClientConnection::arm_deadline() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - around_.clock.monotonic());
  timer_at_ = *deadline_;
  timer_.arm(std::max(left, std::chrono::milliseconds(1)), [this] { on_deadline(); });
}

void ClientConnection::on_deadline() {
  if (!deadline_) return;
  if (around_.clock.monotonic() < *deadline_) return arm_deadline();
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
  return std::exchange(acknowledged_bytes_, now) != now;
}

}  // namespace reelway::edge
