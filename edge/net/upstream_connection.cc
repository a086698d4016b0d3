#include "edge/net/upstream_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/check.h"

// The phases: fresh -> connecting -> awaiting_head -> body -> idle -> awaiting_head ..., and closing from any of them.
//
// One receive is in flight at all times but while connecting and closing. Its target:
//   idle, awaiting_head    buffer_; so an upstream that closes an idle connection is noticed at once, and the receive
//                          that was armed while idle is the one that brings the next response
//   body, length known     the call's own room, without a copy; the parser is not fed
//   body, chunked or
//   ended by the close     buffer_, decoded by the parser and copied to the call's room
//
// Memory that an operation in flight refers to belongs to the call, so a call is told of its end only after the last
// operation has come back (failure_ keeps the reason until then).

namespace reelway::edge {
namespace {

constexpr std::size_t kBufferBytes = 32 * 1024;

Error unreachable(std::string_view name, std::string_view why) {
  std::string detail(name);
  detail.append(": ").append(why);
  return {ErrorCode::upstream_unreachable, Side::upstream, true, std::move(detail)};
}

// More came than a response holds: whatever this is, the connection cannot be trusted any more.
Error out_of_step() {
  return {ErrorCode::upstream_failed, Side::upstream, true, "bytes after the end of a response"};
}

std::string milliseconds_text(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

}  // namespace

UpstreamConnection::UpstreamConnection(ring::Ring& ring, Owner& owner, const SocketAddress& address,
                                       std::string_view name, const UpstreamTimeouts& timeouts)
    : ring_(ring),
      owner_(owner),
      address_(address),
      name_(name),
      timeouts_(timeouts),
      buffer_(kBufferBytes),
      timer_(ring) {}

void UpstreamConnection::start(UpstreamCall& call) {
  CHECK(call_ == nullptr && (phase_ == Phase::fresh || phase_ == Phase::idle));
  call_ = &call;
  phase_ == Phase::fresh ? connect() : send_request();
}

void UpstreamConnection::connect() {
  phase_ = Phase::connecting;
  fd_.reset(::socket(address_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd_) return fail(unreachable(name_, std::string("socket: ") + std::strerror(errno)));
  const int on = 1;
  (void)::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ring_.connect(connect_, fd_.get(), address_.get(), address_.length);
  arm_timeout(timeouts_.connect);
}

void UpstreamConnection::on_connected(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::closing) return close_when_quiet();
  if (result < 0) return fail(unreachable(name_, std::string("connect: ") + std::strerror(-result)));
  send_request();
}

void UpstreamConnection::send_request() {
  phase_ = Phase::awaiting_head;
  ++calls_begun_;
  answer_begun_ = false;
  sent_bytes_ = 0;
  in_place_left_.reset();
  parser_.reset();
  send_rest();
  if (!receive_.in_flight()) receive_next();
  arm_timeout(timeouts_.first_byte);
}

void UpstreamConnection::send_rest() {
  ring_.send(send_, fd_.get(), as_bytes(call_->request_text()).subspan(sent_bytes_), MSG_WAITALL);
}

void UpstreamConnection::on_sent(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::closing) return close_when_quiet();
  // The response may have come already, even the whole of it: then the request must have left.
  if (result < 0) return end_of_stream();
  sent_bytes_ += static_cast<std::size_t>(result);
  if (call_ != nullptr && sent_bytes_ < call_->request_text().size()) send_rest();
}

void UpstreamConnection::receive_next() {
  std::span<std::uint8_t> target = buffer_;
  receiving_in_place_ = phase_ == Phase::body && in_place_left_.has_value();
  if (receiving_in_place_) {
    target = call_->room();
    if (target.empty()) {
      return fail({ErrorCode::upstream_failed, Side::upstream, false, "the answer is longer than there is room for"});
    }
    if (target.size() > *in_place_left_) target = target.first(static_cast<std::size_t>(*in_place_left_));
  }
  ring_.receive(receive_, fd_.get(), target);
}

void UpstreamConnection::on_received(std::int32_t result, std::uint32_t) {
  if (phase_ == Phase::closing) return close_when_quiet();
  if (result <= 0) return end_of_stream();
  const auto count = static_cast<std::size_t>(result);
  if (phase_ == Phase::idle) return fail(out_of_step());
  answer_begun_ = true;
  receiving_in_place_ ? received_in_place(count) : received_in_buffer(ByteView(buffer_).first(count));
  if ((phase_ == Phase::awaiting_head || phase_ == Phase::body || phase_ == Phase::idle) && !receive_.in_flight()) {
    receive_next();
  }
}

void UpstreamConnection::received_in_place(std::size_t count) {
  *in_place_left_ -= count;
  arm_timeout(timeouts_.idle);
  if (!call_->advanced(count)) return drop_call();
  if (*in_place_left_ == 0) finish_call();
}

void UpstreamConnection::received_in_buffer(ByteView input) {
  while (true) {
    auto step = parser_.feed(input);
    if (!step.ok()) return fail(step.error());
    input = input.subspan(step->consumed);
    switch (step->event) {
      case http::ParseEvent::need_more: return;
      case http::ParseEvent::head:
        if (parser_.head().status < 200) {  // an interim response: the real one follows
          parser_.reset();
          continue;
        }
        if (!take_head()) return;
        if (!in_place_left_) continue;
        if (input.size() > *in_place_left_) return fail(out_of_step());
        if (!take_body(input)) return;
        *in_place_left_ -= input.size();
        if (*in_place_left_ == 0) finish_call();
        return;
      case http::ParseEvent::body:
        if (!take_body(step->body)) return;
        continue;
      case http::ParseEvent::complete:
        if (!input.empty()) return fail(out_of_step());
        return finish_call();
    }
  }
}

bool UpstreamConnection::take_head() {
  const http::ResponseHead& head = parser_.head();
  phase_ = Phase::body;
  arm_timeout(timeouts_.idle);
  const bool has_body = head.status != 204 && head.status != 304;
  if (has_body && head.content_length && !head.chunked) in_place_left_ = *head.content_length;
  if (call_->head(head)) return true;
  drop_call();
  return false;
}

bool UpstreamConnection::take_body(ByteView piece) {
  arm_timeout(timeouts_.idle);
  while (!piece.empty()) {
    const std::span<std::uint8_t> room = call_->room();
    if (room.empty()) {
      fail({ErrorCode::upstream_failed, Side::upstream, false, "the answer is longer than there is room for"});
      return false;
    }
    const std::size_t count = std::min(room.size(), piece.size());
    std::memcpy(room.data(), piece.data(), count);
    piece = piece.subspan(count);
    if (!call_->advanced(count)) {
      drop_call();
      return false;
    }
  }
  return true;
}

void UpstreamConnection::end_of_stream() {
  if (phase_ == Phase::idle) return fail(unreachable(name_, "closed"));
  if (phase_ == Phase::awaiting_head && !answer_begun_) {
    if (calls_begun_ > 1) unanswered_ = std::exchange(call_, nullptr);
    return fail(unreachable(name_, "closed the connection before it answered"));
  }
  if (phase_ == Phase::body && !in_place_left_) {
    const auto step = parser_.finish();
    if (step.ok()) return finish_call();
  }
  std::string detail = "the connection closed in the head";
  if (in_place_left_) detail = "the connection closed " + std::to_string(*in_place_left_) + " bytes before the end";
  fail({ErrorCode::upstream_truncated, Side::upstream, true, std::move(detail)});
}

// Becoming idle comes first: the call may begin another one from inside ended().
void UpstreamConnection::finish_call() {
  UpstreamCall* call = std::exchange(call_, nullptr);
  const bool reusable = parser_.head().keep_alive && !send_.in_flight();
  if (!reusable) {
    phase_ = Phase::closing;
    close_when_quiet();
    return call->ended();
  }
  phase_ = Phase::idle;
  in_place_left_.reset();
  arm_timeout(timeouts_.idle);
  call->ended();
  if (phase_ == Phase::idle) owner_.became_idle(*this);
}

void UpstreamConnection::drop_call() {
  call_ = nullptr;
  phase_ = Phase::closing;
  close_when_quiet();
}

void UpstreamConnection::on_timeout() {
  switch (phase_) {
    case Phase::connecting:
      return fail(unreachable(name_, "no connection within " + milliseconds_text(timeouts_.connect)));
    case Phase::awaiting_head:
      return fail({ErrorCode::timed_out, Side::upstream, true,
                   std::string(name_) + " sent no answer within " + milliseconds_text(timeouts_.first_byte)});
    case Phase::body:
      return fail({ErrorCode::upstream_truncated, Side::upstream, true,
                   "the body stood still for " + milliseconds_text(timeouts_.idle)});
    default: return fail(unreachable(name_, "unused"));
  }
}

void UpstreamConnection::close(const Error& reason) {
  if (phase_ != Phase::closing) fail(reason);
}

void UpstreamConnection::fail(Error error) {
  if (phase_ == Phase::closing) return;
  if (call_ != nullptr) failure_ = std::move(error);
  phase_ = Phase::closing;
  close_when_quiet();
}

void UpstreamConnection::close_when_quiet() {
  timer_.disarm();
  if (connect_.in_flight()) ring_.cancel(connect_);
  if (send_.in_flight()) ring_.cancel(send_);
  if (receive_.in_flight()) ring_.cancel(receive_);
  if (connect_.in_flight() || send_.in_flight() || receive_.in_flight()) return;
  if (fd_) ring_.close(fd_.release());
  if (UpstreamCall* call = std::exchange(call_, nullptr)) call->failed(std::move(*failure_));
  owner_.closed(*this, std::exchange(unanswered_, nullptr));
}

void UpstreamConnection::arm_timeout(std::chrono::milliseconds after) {
  timer_.arm(after, [this] { on_timeout(); });
}

}  // namespace reelway::edge
