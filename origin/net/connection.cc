#include "origin/net/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/check.h"
#include "common/http/date.h"
#include "common/http/serialize.h"
#include "common/telemetry/log.h"

// The model. A connection owns its socket, one input buffer, one output queue and at most one handler. Everything it
// does is done by pump(), which takes small steps for the current phase until one of them has to wait: for the socket
// (the poll calls pump again), for the handler (respond() or resume_body() does), for a file (warm's callback does), or
// for a stream that has nothing to send yet (its `more` does).
// Calls that come in while pump() runs only change the state; the running pump sees it.
//
//   head -> body -> answering -> writing -> head ...
//             \________________/    \-> lingering (answered early) -> closed
//
// A handler is dropped when it has responded; if the connection ends first it is told so by abandoned().

namespace reelway::origin {
namespace {

constexpr unsigned kReadsPerPump = 8;
constexpr unsigned kPiecesPerPump = 4;  // of a stream

bool expects_continue(const http::RequestHead& head) {
  const auto expect = head.headers.find("Expect");
  return expect && http::names_equal(*expect, "100-continue");
}

}  // namespace

Connection::Connection(const Host& host, UniqueFd socket)
    : host_(host),
      socket_(std::move(socket)),
      parser_(host.limits.message),
      input_(std::make_unique_for_overwrite<std::uint8_t[]>(host.limits.input_bytes)) {}

Connection::~Connection() {
  CHECK(phase_ == Phase::closed);
}

void Connection::start() {
  poll_ = std::make_unique<SocketPoll>(host_.loop, socket_.get(), [this](SocketPoll::Ready ready) { on_ready(ready); });
  deadline_ = host_.loop.now() + host_.limits.head_timeout;
  update_interest();
}

void Connection::on_ready(SocketPoll::Ready ready) {
  const auto self = shared_from_this();
  if (stream_idle_ && ready.readable) look_for_leaver();
  pump();
}

void Connection::pump() {
  if (pumping_ || phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  pumping_ = true;
  reads_left_ = kReadsPerPump;
  pieces_left_ = kPiecesPerPump;
  bool progress = true;
  while (progress && phase_ != Phase::closed) {
    switch (phase_) {
      case Phase::head:
      case Phase::body: progress = pump_input(); break;
      case Phase::answering: progress = false; break;
      case Phase::writing: progress = pump_output(); break;
      case Phase::lingering:
        discard_input();
        progress = false;
        break;
      case Phase::closed: break;
    }
  }
  pumping_ = false;
  if (phase_ != Phase::closed) update_interest();
}

// True when something was done and the pump should look again.
bool Connection::pump_input() {
  // An interim "100 Continue" may be waiting for the socket.
  if (!output_.empty() && output_.write(socket_.get()) == OutputQueue::State::failed) {
    close();
    return false;
  }
  if (body_paused_) return false;
  if (has_input() || !parser_hungry_) return parse_some();
  if (input_ended_) {
    on_end_of_input();
    return true;
  }
  if (reads_left_ == 0) return false;
  --reads_left_;
  return receive_some();
}

bool Connection::receive_some() {
  input_begin_ = input_end_ = 0;
  const ssize_t count = recv(socket_.get(), input_.get(), host_.limits.input_bytes, MSG_DONTWAIT);
  if (count < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    return false;
  }
  if (count == 0) {
    input_ended_ = true;
    return true;
  }
  host_.counters.received_bytes += static_cast<std::uint64_t>(count);
  // A head has one deadline from its first byte, so that it cannot be sent a byte at a time for ever.
  const bool head_begins = phase_ == Phase::head && parser_idle_;
  input_end_ = static_cast<std::size_t>(count);
  if (head_begins || phase_ == Phase::body) set_deadline();
  return true;
}

bool Connection::parse_some() {
  auto step = parser_.feed({input_.get() + input_begin_, input_end_ - input_begin_});
  if (!step) {
    on_protocol_error(step.error());
    return true;
  }
  parser_idle_ = false;
  input_begin_ += step->consumed;
  parser_hungry_ = step->event == http::ParseEvent::need_more;
  const auto handler = handler_;  // it may answer, and so be let go of, inside the call
  switch (step->event) {
    case http::ParseEvent::need_more: break;
    case http::ParseEvent::head: on_head(); break;
    case http::ParseEvent::body:
      if (handler) handler->body(step->body);
      break;
    case http::ParseEvent::complete:
      body_ended_ = true;
      if (phase_ != Phase::body) break;
      enter(Phase::answering);
      handler->body_end();
      break;
  }
  return true;
}

void Connection::on_head() {
  ++host_.counters.requests;
  const http::RequestHead& head = parser_.head();
  head_only_ = head.method == http::Method::head;
  keep_alive_ = head.keep_alive && !draining_;
  body_ended_ = false;
  enter(Phase::body);
  handler_ = host_.make_handler(*this);
  // The handler may respond, and so be dropped, within this call.
  const auto handler = handler_;
  handler->begin(head);
  if (phase_ == Phase::body && expects_continue(head)) output_.add("HTTP/1.1 100 Continue\r\n\r\n");
}

void Connection::on_protocol_error(const Error& error) {
  ++host_.counters.malformed;
  abandon_handler();
  input_begin_ = input_end_ = 0;
  keep_alive_ = false;
  body_ended_ = false;  // whatever else the client has sent cannot be told from a request: read it off
  output_.add(http::error_response(error, false));
  enter(Phase::writing);
}

void Connection::on_end_of_input() {
  if (phase_ == Phase::head) return close();
  // The client ended its side within a body; it may still read the answer.
  keep_alive_ = false;
  body_ended_ = true;
  enter(Phase::answering);
  Error error;
  error.code = ErrorCode::upload_incomplete;
  error.side = Side::client;
  error.detail = "the connection was closed before the end of the body";
  handler_->body_cut(error);
}

void Connection::discard_input() {
  for (unsigned i = 0; i < kReadsPerPump; ++i) {
    const ssize_t count = recv(socket_.get(), input_.get(), host_.limits.input_bytes, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) return close();
    if (count < 0) return;
  }
}

void Connection::respond(Response response) {
  CHECK(handler_ && (phase_ == Phase::body || phase_ == Phase::answering));
  handler_ = nullptr;
  if (response.stream && draining_) {
    Error error;
    error.code = ErrorCode::shutting_down;
    error.retry = true;
    response = error_reply(error);
  }
  if (response.close || draining_) keep_alive_ = false;
  // A body that has no bytes ends with its head; the parser tells so in a step of its own.
  const http::RequestHead& head = parser_.head();
  if (!head.chunked && head.content_length.value_or(0) == 0) body_ended_ = true;
  if (!body_ended_) keep_alive_ = false;
  body_paused_ = false;
  queue_response(std::move(response));
  enter(Phase::writing);
  pump();
}

void Connection::queue_response(Response response) {
  if (response.text && response.text->size() > host_.limits.response_text_bytes_max) {
    Error error;
    error.code = ErrorCode::overloaded;
    error.detail = "the answer has " + std::to_string(response.text->size()) + " bytes";
    response = error_reply(error);
  }
  http::ResponseBuilder head(response.status);
  head.header("Date", http::format_date(host_.clock.wall_s()));
  for (const auto& [name, value] : response.headers) head.header(name, value);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (response.stream) {
    CHECK(!response.text && !response.file && !bodiless);
    stream_chunked_ = parser_.head().minor_version > 0;
    if (stream_chunked_) head.header("Transfer-Encoding", "chunked");
    keep_alive_ = keep_alive_ && stream_chunked_;
  } else if (!bodiless) {
    head.header("Content-Length", response.body_bytes());
  }
  if (!keep_alive_) {
    head.header("Connection", "close");
  } else if (parser_.head().minor_version == 0) {
    head.header("Connection", "keep-alive");
  }
  output_.add(head.finish());
  if (bodiless || head_only_) return;
  if (response.text) output_.add(std::move(response.text));
  if (response.file) output_.add(std::move(response.file));
  if (response.stream) begin_stream(std::move(response.stream));
}

void Connection::limit_body(std::uint64_t bytes_max) {
  parser_.set_body_bytes_max(bytes_max);
}

void Connection::pause_body() {
  body_paused_ = true;
}

void Connection::resume_body() {
  if (!body_paused_) return;
  body_paused_ = false;
  if (phase_ == Phase::body) set_deadline();
  pump();
}

bool Connection::pump_output() {
  if (warming_) return false;
  const std::uint64_t before = output_.bytes_sent();
  const OutputQueue::State state = output_.write(socket_.get());
  const std::uint64_t sent = output_.bytes_sent() - before;
  host_.counters.sent_bytes += sent;
  if (sent > 0) set_deadline();
  switch (state) {
    case OutputQueue::State::empty:
      if (stream_) return pump_stream();
      finish_exchange();
      return true;
    case OutputQueue::State::more:
    case OutputQueue::State::blocked: return false;  // the poll calls again, after the others had their turn
    case OutputQueue::State::cold: start_warm(); return false;
    case OutputQueue::State::failed: break;
  }
  ++host_.counters.aborted_responses;
  close();
  return false;
}

void Connection::begin_stream(std::shared_ptr<StreamBody> stream) {
  stream_ = std::move(stream);
  stream_idle_ = false;
  watch_leaver_ = true;
  stream_->begin([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->stream_idle_) self->pump();
  });
}

// Everything given before is with the kernel. True when there is something new to write.
bool Connection::pump_stream() {
  if (pieces_left_ == 0) return false;  // the poll calls again, after the others had their turn
  --pieces_left_;
  StreamBody::Piece piece = stream_->take();
  const bool was_idle = std::exchange(stream_idle_, piece.kind == StreamBody::Piece::Kind::nothing_yet);
  switch (piece.kind) {
    case StreamBody::Piece::Kind::bytes: break;
    case StreamBody::Piece::Kind::nothing_yet: deadline_.reset(); return false;
    case StreamBody::Piece::Kind::end:
      end_stream();
      if (stream_chunked_) output_.add("0\r\n\r\n");
      set_deadline();
      return true;
    case StreamBody::Piece::Kind::cut:
      ++host_.counters.aborted_responses;
      close();
      return false;
  }
  CHECK(piece.bytes && !piece.bytes->empty());  // an empty chunk would end the body
  if (was_idle) set_deadline();
  if (!stream_chunked_) {
    output_.add(std::move(piece.bytes));
    return true;
  }
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", piece.bytes->size());
  output_.add(std::string(size));
  output_.add(std::move(piece.bytes));
  output_.add("\r\n");
  return true;
}

void Connection::end_stream() {
  stream_idle_ = false;
  if (const auto stream = std::exchange(stream_, nullptr)) stream->leave();
}

// While nothing is to be sent, only reading tells that the client has gone. One that ends its sending side has no
// further use for a stream either. Input that has come instead (a pipelined request) is left where it is; a client
// that leaves is then noticed at the next write.
void Connection::look_for_leaver() {
  char byte = 0;
  const ssize_t count = recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) watch_leaver_ = false;
  if (count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))) return;
  ++host_.counters.left_streams;
  close();
}

void Connection::start_warm() {
  warming_ = true;
  deadline_.reset();
  output_.front_file()->warm([weak = weak_from_this()](Result<void> result) {
    if (const auto self = weak.lock()) self->on_warm(result);
  });
}

void Connection::on_warm(const Result<void>& result) {
  warming_ = false;
  if (phase_ == Phase::closed) return;
  if (!result) {
    // The head is out already: the only honest way to say it is to end the connection short of Content-Length.
    telemetry::log_error("response cut: {}", describe(result.error()));
    ++host_.counters.aborted_responses;
    return close();
  }
  set_deadline();
  pump();
}

void Connection::finish_exchange() {
  if (!body_ended_) return linger();
  if (!keep_alive_) return close();
  parser_.reset();
  parser_.set_body_bytes_max(host_.limits.message.body_bytes_max);
  parser_idle_ = parser_hungry_ = true;
  enter(Phase::head);
  // A pipelined request has begun already.
  if (has_input()) deadline_ = host_.loop.now() + host_.limits.head_timeout;
}

void Connection::linger() {
  // Closing with unread input would reset the connection, and the client could lose the answer.
  shutdown(socket_.get(), SHUT_WR);
  enter(Phase::lingering);
}

void Connection::drain() {
  draining_ = true;
  keep_alive_ = false;
  if (phase_ == Phase::head && parser_idle_) return close();
  // A stream may have no end of its own. It is cut short of its last chunk, so that nobody takes it for whole.
  if (stream_) {
    ++host_.counters.drained_streams;
    close();
  }
}

void Connection::check_deadline() {
  if (!deadline_ || host_.loop.now() < *deadline_) return;
  if (phase_ == Phase::writing) ++host_.counters.aborted_responses;
  ++host_.counters.timeouts;
  abandon_handler();
  close();
}

void Connection::abandon_handler() {
  if (const auto handler = std::exchange(handler_, nullptr)) handler->abandoned();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  phase_ = Phase::closed;
  deadline_.reset();
  abandon_handler();
  end_stream();
  poll_.reset();
  socket_.reset();
  host_.on_closed(*this);
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  set_deadline();
}

void Connection::set_deadline() {
  const auto now = host_.loop.now();
  switch (phase_) {
    case Phase::head:
      deadline_ = now + (parser_idle_ && !has_input() ? host_.limits.idle_timeout : host_.limits.head_timeout);
      break;
    case Phase::body: deadline_ = now + host_.limits.body_timeout; break;
    case Phase::writing: deadline_ = now + host_.limits.write_timeout; break;
    case Phase::lingering: deadline_ = now + host_.limits.linger_timeout; break;
    case Phase::answering:  // the handler's own limits hold
    case Phase::closed: deadline_.reset(); break;
  }
}

void Connection::update_interest() {
  switch (phase_) {
    case Phase::head: poll_->want(true, !output_.empty()); break;
    case Phase::body:
      if (body_paused_) deadline_.reset();  // the worker is behind, not the client
      poll_->want(!body_paused_, !output_.empty());
      break;
    case Phase::answering: poll_->want(false, false); break;  // what is left goes out with the answer
    case Phase::writing: poll_->want(stream_idle_ && watch_leaver_, !warming_ && !stream_idle_); break;
    case Phase::lingering: poll_->want(true, false); break;
    case Phase::closed: break;
  }
}

}  // namespace reelway::origin
