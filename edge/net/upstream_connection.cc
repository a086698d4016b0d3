#include "edge/net/upstream_connection.h"

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
// An answer is believed only as far as it can be told to be one. Bytes that come while no request is out, or that were
// there before the request left, or that follow an answer's end, are of no request of ours (RFC 9112 section 6.3): the
// connection is dropped and nothing of it is taken. What an upstream sends before our request reaches it and after we
// have looked cannot be told from an answer by HTTP/1.1.
//
// Memory that an operation in flight refers to belongs to the call, so a call is told of its end only after the last
// operation has come back (failure_ keeps the reason until then).

namespace reelway::edge {

using Unasked = transport::ClientStream::Unasked;

namespace {

constexpr std::size_t kBufferBytes = 32 * 1024;
constexpr std::size_t kInterimHeadsMax = 16;

Error unreachable(std::string_view name, std::string_view why) {
  std::string detail(name);
  detail.append(": ").append(why);
  return {ErrorCode::upstream_unreachable, Side::upstream, true, std::move(detail)};
}

Error failed_answer(std::string detail) {
  return {ErrorCode::upstream_failed, Side::upstream, true, std::move(detail)};
}

// More came than a response holds: its length was wrong, or the rest is of no request of ours.
Error out_of_step() {
  return failed_answer("bytes after the end of a response");
}

std::string milliseconds_text(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

}  // namespace

UpstreamConnection::UpstreamConnection(ring::Ring& ring, Owner& owner, const SocketAddress& address,
                                       std::string_view name, transport::TlsPeer* tls, const UpstreamTimeouts& timeouts)
    : ring_(ring),
      owner_(owner),
      address_(address),
      name_(name),
      timeouts_(timeouts),
      stream_(transport::make_client_stream(ring, *this, tls)),
      buffer_(kBufferBytes),
      timer_(ring),
      progress_timer_(ring) {}

void UpstreamConnection::start(UpstreamCall& call) {
  CHECK(call_ == nullptr && (phase_ == Phase::fresh || phase_ == Phase::idle));
  call_ = &call;
  if (phase_ == Phase::fresh) return connect();
  // The answer cannot be here before the request; a close may be.
  if (stream_->unasked() == Unasked::nothing) return send_request();
  unanswered_ = std::exchange(call_, nullptr);
  fail(out_of_step());
}

void UpstreamConnection::connect() {
  phase_ = Phase::connecting;
  if (auto begun = stream_->connect(address_.get(), address_.length); !begun.ok()) return fail(named(begun.error()));
  arm_timeout(timeouts_.connect);
}

void UpstreamConnection::connected(Result<void> outcome) {
  if (!outcome.ok()) return fail(named(std::move(outcome).error()));
  if (stream_->unasked() == Unasked::bytes) return fail(failed_answer("bytes before the first request"));
  send_request();
}

Error UpstreamConnection::named(Error error) const {
  error.detail.insert(0, std::string(name_) + ": ");
  return error;
}

void UpstreamConnection::send_request() {
  phase_ = Phase::awaiting_head;
  ++calls_begun_;
  answer_begun_ = false;
  request_turn_ = ring_.turns();
  interim_heads_ = 0;
  in_place_left_.reset();
  parser_.reset();
  parser_.expect(call_->request_text().starts_with("HEAD "));
  call_->request_leaves();
  stream_->send(as_bytes(call_->request_text()));
  if (!stream_->receiving()) receive_next();
  arm_timeout(timeouts_.first_byte);
}

// When the upstream takes no more of the request it may have answered all the same: the receive brings that, or the
// end.
void UpstreamConnection::sent(std::int32_t) {}

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
  in_place_ = target;
  stream_->receive(target);
}

void UpstreamConnection::received(std::int32_t result) {
  if (result < 0) return broken(std::strerror(-result));
  if (result == 0) return end_of_stream();
  const auto count = static_cast<std::size_t>(result);
  if (phase_ == Phase::idle) return fail(out_of_step());
  // Received before the request was given to the kernel.
  if (!answer_begun_ && ring_.turns() == request_turn_) return repeat_or_fail(out_of_step());
  answer_begun_ = true;
  receiving_in_place_ ? received_in_place(count) : received_in_buffer(ByteView(buffer_).first(count));
  if ((phase_ == Phase::awaiting_head || phase_ == Phase::body || phase_ == Phase::idle) && !stream_->receiving()) {
    receive_next();
  }
}

void UpstreamConnection::received_in_place(std::size_t count) {
  *in_place_left_ -= count;
  if (!take_piece(ByteView(in_place_).first(count))) return;
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
        if (parser_.head().status < 200) {
          if (!take_interim()) return;
          continue;
        }
        if (!take_head()) return;
        if (!in_place_left_) continue;
        if (input.size() > *in_place_left_) return fail(out_of_step());
        *in_place_left_ -= input.size();
        if (!take_body(input)) return;
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

// An interim response: the real one follows. We never ask for another protocol, so 101 is no answer.
bool UpstreamConnection::take_interim() {
  const bool refused = parser_.head().status == 101 || ++interim_heads_ > kInterimHeadsMax;
  if (refused) {
    fail(failed_answer(parser_.head().status == 101 ? "it switched protocols unasked"
                                                    : "more than 16 interim responses"));
    return false;
  }
  call_->interim(parser_.head());
  parser_.reset();
  return true;
}

bool UpstreamConnection::take_head() {
  const http::ResponseHead& head = parser_.head();
  // Sent to a connection that rested for too long, not to this request (RFC 9110 section 15.5.9).
  if (head.status == 408 && calls_begun_ > 1) {
    repeat_or_fail(unreachable(name_, "it had waited too long for a request"));
    return false;
  }
  phase_ = Phase::body;
  arm_timeout(timeouts_.idle);
  window_bytes_ = 0;
  if (timeouts_.progress_bytes_min > 0) progress_timer_.arm(timeouts_.idle, [this] { check_progress(); });
  const bool to_head = call_->request_text().starts_with("HEAD ");
  const bool has_body = !to_head && head.status != 204 && head.status != 304;
  if (has_body && head.content_length && !head.chunked) in_place_left_ = *head.content_length;
  // A part of a body begins anywhere in its coding.
  coding_ = http::CodingCheck(head.status == 206 ? "" : head.headers.find("Content-Encoding").value_or(""));
  if (call_->head(head)) return true;
  drop_call();
  return false;
}

bool UpstreamConnection::take_body(ByteView piece) {
  while (!piece.empty()) {
    const std::span<std::uint8_t> room = call_->room();
    if (room.empty()) {
      fail({ErrorCode::upstream_failed, Side::upstream, false, "the answer is longer than there is room for"});
      return false;
    }
    const std::size_t count = std::min(room.size(), piece.size());
    std::memcpy(room.data(), piece.data(), count);
    if (!take_piece(piece.first(count))) return false;
    piece = piece.subspan(count);
  }
  return true;
}

// It lies in the call's room already.
bool UpstreamConnection::take_piece(ByteView piece) {
  arm_timeout(timeouts_.idle);
  window_bytes_ += piece.size();
  if (!coding_.feed(piece)) {
    fail(failed_answer("the body is not of the coding that Content-Encoding names"));
    return false;
  }
  if (call_->advanced(piece.size())) return true;
  drop_call();
  return false;
}

void UpstreamConnection::end_of_stream() {
  if (phase_ == Phase::body && !in_place_left_) {
    const auto step = parser_.finish();
    if (step.ok()) return finish_call();
  }
  broken("closed");
}

// The connection is no more, and what it carried is not whole: a reset is no end of a body, even where a close is.
void UpstreamConnection::broken(std::string_view how) {
  if (phase_ == Phase::idle) return fail(unreachable(name_, how));
  if (phase_ == Phase::awaiting_head && !answer_begun_) {
    return repeat_or_fail(unreachable(name_, "ended before it answered: " + std::string(how)));
  }
  std::string detail = "the connection ended in the head";
  if (phase_ == Phase::body) detail = "the connection ended in the body";
  if (in_place_left_) detail = "the connection ended " + std::to_string(*in_place_left_) + " bytes before the end";
  fail({ErrorCode::upstream_truncated, Side::upstream, true, detail + ": " + std::string(how)});
}

// Nothing of an answer to this call has come. On a connection that had been at rest that says little of the upstream.
void UpstreamConnection::repeat_or_fail(Error reason) {
  if (calls_begun_ > 1 && call_->repeatable()) unanswered_ = std::exchange(call_, nullptr);
  fail(std::move(reason));
}

// Becoming idle comes first: the call may begin another one from inside ended().
void UpstreamConnection::finish_call() {
  if (!coding_.complete()) return fail(failed_answer("the body is not of the coding that Content-Encoding names"));
  if (stream_->unasked() == Unasked::bytes) return fail(out_of_step());
  UpstreamCall* call = std::exchange(call_, nullptr);
  const bool reusable = parser_.head().keep_alive && !stream_->sending();
  if (!reusable) {
    phase_ = Phase::closing;
    close_when_quiet();
    return call->ended();
  }
  phase_ = Phase::idle;
  in_place_left_.reset();
  arm_timeout(timeouts_.idle);
  progress_timer_.disarm();
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

void UpstreamConnection::check_progress() {
  if (phase_ != Phase::body) return;
  if (window_bytes_ < timeouts_.progress_bytes_min) {
    return fail({ErrorCode::upstream_truncated, Side::upstream, true,
                 "only " + std::to_string(window_bytes_) + " bytes of the body came within " +
                     milliseconds_text(timeouts_.idle)});
  }
  window_bytes_ = 0;
  progress_timer_.arm(timeouts_.idle, [this] { check_progress(); });
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
  progress_timer_.disarm();
  if (stream_->cancel()) quiet();
}

void UpstreamConnection::quiet() {
  if (UpstreamCall* call = std::exchange(call_, nullptr)) call->failed(std::move(*failure_));
  owner_.closed(*this, std::exchange(unanswered_, nullptr));
}

void UpstreamConnection::arm_timeout(std::chrono::milliseconds after) {
  timer_.arm(after, [this] { on_timeout(); });
}

}  // namespace reelway::edge
