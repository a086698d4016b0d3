#include "edge/net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "common/http/serialize.h"
#include "common/telemetry/log.h"

// One multishot accept serves all connections. It ends when the process has no descriptor or memory left; then the
// listener rests for kRest before it is armed again, so that a full process does not spin. Clients wait meanwhile in
// the kernel's backlog.

namespace reelway::edge {
namespace {

constexpr int kUnsentBytes = 256 * 1024;
constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kRest{100};

Result<UniqueFd> bound_socket(const SocketAddress& address, bool is_shared) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("socket", "listener", errno);
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_shared && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return system_error("reuseport", "listener", errno);
  }
  if (::bind(fd.get(), address.get(), address.length) != 0) return system_error("bind", "listener", errno);
  return fd;
}

// To share an address must not be to share it with another process: whoever has it alone, or listens, is noticed by a
// socket that does not share.
Result<void> check_free(const SocketAddress& address) {
  auto alone = bound_socket(address, false);
  if (!alone.ok()) return std::move(alone).error();
  if (::listen(alone->get(), 1) != 0) return system_error("listen", "listener", errno);
  return {};
}

Result<UniqueFd> listening_socket(const SocketAddress& address, const ListenerOptions& options) {
  const bool is_shared = options.shared_count != nullptr;
  if (is_shared && options.is_first) REELWAY_TRY(check_free(address));
  auto bound = bound_socket(address, is_shared);
  if (!bound.ok()) return bound;
  UniqueFd fd = std::move(bound).value();
  const int on = 1;
  // Accepted sockets inherit it: answers are written whole, so nothing is gained by waiting for more.
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Inherited too. What the kernel holds unsent for a slow client can no longer be taken back when its rental ends.
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
  if (::listen(fd.get(), kBacklog) != 0) return system_error("listen", "listener", errno);
  return fd;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(ring::Ring& ring, const Clock& clock, const SocketAddress& address,
                                                 const ListenerOptions& options, ExchangeFactory& factory) {
  std::signal(SIGPIPE, SIG_IGN);  // splice() to a client that has left raises it (PagePipe), and knows no MSG_NOSIGNAL
  auto fd = listening_socket(address, options);
  if (!fd.ok()) return std::move(fd).error();
  return std::unique_ptr<Listener>(new Listener(ring, clock, std::move(fd).value(), options, factory));
}

Listener::Listener(ring::Ring& ring, const Clock& clock, UniqueFd fd, const ListenerOptions& options,
                   ExchangeFactory& factory)
    : ring_(ring),
      clock_(clock),
      fd_(std::move(fd)),
      options_(options),
      turns_(ring, options_.client.message, factory),
      large_sends_(ring),
      around_{ring_, clock_, options_.client, client_counters_, draining_, turns_, large_sends_, page_pipe_, *this},
      rest_timer_(ring),
      idle_timer_(ring) {}

Listener::~Listener() {
  *alive_ = false;
  for (ConnectionList* list : {&resting_, &busy_}) {
    while (ClientConnection* connection = list->front()) {
      list->remove(*connection);
      delete connection;
    }
  }
}

void Listener::start() {
  arm_accept();
}

void Listener::arm_accept() {
  if (!draining_ && !accept_.in_flight()) ring_.accept_multishot(accept_, fd_.get());
}

void Listener::on_accepted(std::int32_t result, std::uint32_t) {
  if (result >= 0) {
    UniqueFd fd(result);
    if (draining_) return check_drained();
    ++counters_.accepted;
    has_room() ? admit(std::move(fd)) : refuse(std::move(fd));
  }
  if (draining_) return check_drained();
  switch (-result) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return rest();
    default: arm_accept();  // also after a connection that was reset before it was accepted
  }
}

bool Listener::has_room() const {
  const std::size_t all = options_.shared_count != nullptr ? options_.shared_count->load() : connection_count_;
  return all < options_.connections_max;
}

void Listener::count(std::size_t more, std::size_t less) {
  connection_count_ += more - less;
  if (options_.shared_count != nullptr) *options_.shared_count += more - less;
}

void Listener::rest() {
  if (counters_.accept_pauses++ == 0) {
    telemetry::log_warn(
        "accept: no descriptor or memory left; raise the limit of open files (LimitNOFILE) above "
        "limits.connections_max");
  }
  rest_timer_.arm(kRest, [this] { arm_accept(); });
}

void Listener::admit(UniqueFd fd) {
  // Owned by the list that it is in.
  count(1, 0);
  auto* const connection = new ClientConnection(around_, std::move(fd));
  busy_.push_back(*connection);
  connection->start();
}

void Listener::rests(ClientConnection& connection) {
  busy_.remove(connection);
  resting_.push_back(connection);
  connection.rests_until = clock_.monotonic() + options_.client.idle_timeout;
  if (!idle_timer_.armed()) idle_timer_.arm(options_.client.idle_timeout, [this] { end_rests(); });
}

void Listener::rests_no_longer(ClientConnection& connection) {
  resting_.remove(connection);
  busy_.push_back(connection);
}

void Listener::end_rests() {
  const auto now = clock_.monotonic();
  while (ClientConnection* longest = resting_.front()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(longest->rests_until - now);
    if (left.count() > 0) return idle_timer_.arm(left, [this] { end_rests(); });
    longest->close_now();
  }
}

// The answer is a courtesy that must cost nothing: one send that does not wait, then the close.
void Listener::refuse(UniqueFd fd) {
  ++counters_.refused_over_limit;
  const Error error{ErrorCode::overloaded, Side::self, true,
                    "limits.connections_max is " + std::to_string(options_.connections_max)};
  const std::string text = http::error_response(error, false);
  (void)::send(fd.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Listener::closed(ClientConnection& connection) {
  busy_.remove(connection);
  if (ended_.empty()) {
    ring_.defer([this, alive = alive_] {
      if (*alive) drop_ended();
    });
  }
  ended_.emplace_back(&connection);
}

void Listener::drop_ended() {
  count(0, ended_.size());
  ended_.clear();
  check_drained();
}

void Listener::drain(std::function<void()> drained) {
  CHECK(!draining_);
  draining_ = true;
  drained_ = std::move(drained);
  rest_timer_.disarm();
  ring_.cancel(accept_);
  while (ClientConnection* resting = resting_.front()) resting->close_if_idle();
  ring_.defer([this] { check_drained(); });
}

void Listener::close_all() {
  while (ClientConnection* resting = resting_.front()) resting->close_now();
  for (ClientConnection* busy = busy_.front(); busy != nullptr;) {
    ClientConnection* const next = ConnectionList::after(*busy);
    busy->close_now();
    busy = next;
  }
}

void Listener::check_drained() {
  if (!draining_ || accept_.in_flight()) return;
  // Refused at once, players turn to another edge; in the backlog of a socket nobody accepts from they would wait.
  fd_.reset();
  if (connection_count_ == 0 && drained_) std::exchange(drained_, nullptr)();
}

}  // namespace reelway::edge
