// The life of a connection: closed -> connecting -> idle -> head -> body or discarding -> idle -> ... -> closed.
// `failing` waits for the operations in flight before the socket is closed and the listener told, so that a
// connection never has an operation in flight when the listener sees it. Sending and receiving are prepared together:
// the answer's first bytes then cost no turn of their own.

#include "loadtest/client_connection.h"

#include <netinet/tcp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"

namespace reelway::loadtest {
namespace {

constexpr std::size_t kHeadBufferBytes = 4 * 1024;  // small, so that little of a body is copied before discarding
constexpr std::size_t kBodyBufferBytes = 64 * 1024;
constexpr std::string_view kRequestControl = "reno";  // every kernel has it, and everybody may choose it
constexpr std::size_t kDiscardBytesMax = 64 << 20;    // one discarding receive asks for at most this much

// A receive with MSG_TRUNC on TCP takes a length but writes nothing, so the memory behind it may be inaccessible.
std::span<std::uint8_t> discard_target() {
  static std::uint8_t* const memory = [] {
    void* mapped = ::mmap(nullptr, kDiscardBytesMax, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(mapped != MAP_FAILED);
    return static_cast<std::uint8_t*>(mapped);
  }();
  return {memory, kDiscardBytesMax};
}

std::string with_errno(std::string_view what, int errno_value) {
  return std::string(what).append(": ").append(std::strerror(errno_value));
}

}  // namespace

std::string_view failure_name(Failure failure) {
  constexpr std::string_view kNames[kFailureKinds] = {"connect", "closed", "timeout", "malformed", "status", "length"};
  return kNames[static_cast<std::size_t>(failure)];
}

ClientConnection::ClientConnection(ring::Ring& ring, const ClientSettings& settings, ClientListener& listener)
    : ring_(ring),
      settings_(settings),
      listener_(listener),
      buffer_(settings.body_use == BodyUse::discard ? kHeadBufferBytes : kBodyBufferBytes),
      timer_(ring) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::open() {
  CHECK(phase_ == Phase::closed);
  exchange_ = {};
  exchange_.started = std::chrono::steady_clock::now();
  fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  phase_ = Phase::connecting;
  if (!fd_) return fail(Failure::connect, with_errno("socket", errno));
  const int on = 1;
  (void)::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Requests are far smaller than any window, so this is for their cost alone: BBR, say, sets a timer for each send.
  (void)::setsockopt(fd_.get(), IPPROTO_TCP, TCP_CONGESTION, kRequestControl.data(), kRequestControl.size());
  if (settings_.source && !bind_source()) return fail(Failure::connect, with_errno("bind", errno));
  ring_.connect(connect_, fd_.get(), reinterpret_cast<const sockaddr*>(&settings_.address), sizeof settings_.address);
  watch_time();
}

// One arming serves many exchanges: most end long before it fires, and then it is armed anew for the one under way.
void ClientConnection::watch_time() {
  if (!timer_.armed()) timer_.arm(settings_.timeout, [this] { on_timeout(); });
}

// The port is left to connect(): it then need only be free towards this one server, so that one source has room for
// more connections than there are ports.
bool ClientConnection::bind_source() {
  const int on = 1;
  (void)::setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = *settings_.source;
  return ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void ClientConnection::on_connected(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::failing) return finish_when_quiet();
  if (result < 0) return fail(Failure::connect, with_errno("connect", -result));
  phase_ = Phase::idle;
  listener_.opened(*this);
}

void ClientConnection::ask(std::string_view request) {
  CHECK(phase_ == Phase::idle);
  exchange_ = {};
  exchange_.started = std::chrono::steady_clock::now();
  complete_ = false;
  keep_alive_ = true;
  request_ = request;
  parser_.reset();
  phase_ = Phase::head;
  ring_.send(send_, fd_.get(), as_bytes(request), MSG_WAITALL);
  arm_receive();
  watch_time();
}

void ClientConnection::arm_receive() {
  if (phase_ != Phase::discarding) return ring_.receive(receive_, fd_.get(), buffer_);
  // Without MSG_WAITALL: the kernel's retry after a part then asks for the whole length again and never ends.
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, kDiscardBytesMax));
  ring_.receive(receive_, fd_.get(), discard_target().first(length), MSG_TRUNC);
}

void ClientConnection::on_sent(std::int32_t result, std::uint32_t) {
  // A server that refuses a request may answer and close before it has read all: the answer decides then.
  const bool whole = result >= 0 && static_cast<std::size_t>(result) == request_.size();
  if (!whole) keep_alive_ = false;
  finish_when_quiet();
}

void ClientConnection::on_received(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::failing) return finish_when_quiet();
  if (result < 0) return fail(Failure::closed, with_errno("receive", -result));
  if (exchange_.first_byte == Exchange::Time{} && result > 0) exchange_.first_byte = std::chrono::steady_clock::now();
  if (phase_ == Phase::discarding) return on_discarded(result);
  if (result == 0) return on_peer_closed();
  feed(ByteView(buffer_).first(static_cast<std::size_t>(result)));
}

void ClientConnection::on_discarded(std::int32_t result) {
  if (result == 0) return fail(Failure::length, "the body ended " + std::to_string(remaining_) + " bytes short");
  exchange_.body_bytes += static_cast<std::uint64_t>(result);
  remaining_ -= static_cast<std::uint64_t>(result);
  if (remaining_ > 0) return arm_receive();
  on_complete({});
}

void ClientConnection::on_peer_closed() {
  keep_alive_ = false;
  if (phase_ == Phase::head) return fail(Failure::closed, "the peer closed before the response head was complete");
  const auto step = parser_.finish();
  if (!step || step->event != http::ParseEvent::complete) {
    return fail(Failure::length, "the body ended after " + std::to_string(exchange_.body_bytes) + " bytes, too early");
  }
  on_complete({});
}

void ClientConnection::feed(ByteView input) {
  while (true) {
    const auto step = parser_.feed(input);
    if (!step) return fail(Failure::malformed, step.error().detail);
    input = input.subspan(step->consumed);
    switch (step->event) {
      case http::ParseEvent::need_more: return arm_receive();
      case http::ParseEvent::body: on_body(step->body); break;
      case http::ParseEvent::complete:
        if (phase_ == Phase::body) return on_complete(input);
        parser_.reset();  // an interim response
        break;
      case http::ParseEvent::head:
        if (!on_head()) break;
        if (settings_.body_use == BodyUse::discard && parser_.head().content_length)
          return begin_discarding(input.size());
        break;
    }
    if (phase_ == Phase::failing) return;
  }
}

bool ClientConnection::on_head() {
  const http::ResponseHead& head = parser_.head();
  if (head.status < 200) return false;
  phase_ = Phase::body;
  exchange_.status = head.status;
  keep_alive_ = keep_alive_ && head.keep_alive;
  if (settings_.body_use == BodyUse::checksum) exchange_.cache_status = head.headers.find("cache-status").value_or("");
  return true;
}

// The parser is left in the middle of the body; it is reset before the next head.
void ClientConnection::begin_discarding(std::uint64_t already_here) {
  const std::uint64_t length = *parser_.head().content_length;
  if (already_here > length) return fail(Failure::length, "more bytes than Content-Length says");
  exchange_.body_bytes = already_here;
  remaining_ = length - already_here;
  if (remaining_ == 0) return on_complete({});
  phase_ = Phase::discarding;
  arm_receive();
}

void ClientConnection::on_body(ByteView piece) {
  exchange_.body_bytes += piece.size();
  if (settings_.body_use == BodyUse::checksum) exchange_.crc32c = crc32c(piece, exchange_.crc32c);
}

void ClientConnection::on_complete(ByteView rest) {
  if (!rest.empty()) return fail(Failure::length, "more bytes than the response announced");
  exchange_.ended = std::chrono::steady_clock::now();
  if (settings_.expected_status != 0 && exchange_.status != settings_.expected_status) {
    exchange_.failure = Failure::status;
    exchange_.detail = "status " + std::to_string(exchange_.status);
  }
  complete_ = true;
  finish_when_quiet();
}

void ClientConnection::on_timeout() {
  if (phase_ == Phase::idle || phase_ == Phase::closed) return;
  const auto left = settings_.timeout - (std::chrono::steady_clock::now() - exchange_.started);
  if (left > std::chrono::nanoseconds{0}) {
    return timer_.arm(std::chrono::ceil<std::chrono::milliseconds>(left), [this] { on_timeout(); });
  }
  fail(Failure::timeout, "no end within " + std::to_string(settings_.timeout.count()) + " ms");
}

void ClientConnection::fail(Failure failure, std::string detail) {
  timer_.disarm();
  phase_ = Phase::failing;
  exchange_.failure = failure;
  exchange_.detail = std::move(detail);
  exchange_.ended = std::chrono::steady_clock::now();
  ring_.cancel(connect_);
  ring_.cancel(send_);
  ring_.cancel(receive_);
  finish_when_quiet();
}

void ClientConnection::finish_when_quiet() {
  const bool over = complete_ || phase_ == Phase::failing;
  if (!over || connect_.in_flight() || send_.in_flight() || receive_.in_flight()) return;
  complete_ = false;
  if (phase_ == Phase::failing || !keep_alive_) {
    if (fd_) ring_.close(fd_.release());
    phase_ = Phase::closed;
  } else {
    phase_ = Phase::idle;
  }
  // The listener may ask again at once, which begins a new exchange in the same place.
  const Exchange exchange = std::move(exchange_);
  listener_.ended(*this, exchange);
}

}  // namespace reelway::loadtest
