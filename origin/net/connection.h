#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/unique_fd.h"
#include "common/http/parser.h"
#include "origin/net/event_loop.h"
#include "origin/net/exchange.h"
#include "origin/net/output_queue.h"

namespace reelway::origin {

struct ConnectionLimits {
  http::Limits message;
  std::size_t input_bytes = 64 * 1024;              // buffer of a connection: what one read may take
  std::chrono::milliseconds head_timeout{10'000};   // from the first byte of a head (or the accept) to its end
  std::chrono::milliseconds idle_timeout{75'000};   // between requests; longer than an edge keeps an idle connection
  std::chrono::milliseconds body_timeout{30'000};   // without a byte of the body while we read
  std::chrono::milliseconds write_timeout{30'000};  // without a byte taken by the client while there are any
  std::chrono::milliseconds linger_timeout{2'000};  // reading off what a client sent in vain, after an early answer
  std::uint64_t response_text_bytes_max = 64ULL * 1024 * 1024;
};

// Kept by the server, written by its connections.
struct ConnectionCounters {
  std::uint64_t requests = 0;
  std::uint64_t malformed = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t aborted_responses = 0;  // cut in the middle: the client left, or a file turned out bad
  std::uint64_t left_streams = 0;       // ended by the client while there was nothing to send
  std::uint64_t drained_streams = 0;    // ended by drain()
};

using HandlerFactory = std::function<std::shared_ptr<RequestHandler>(Responder&)>;

// One client's connection. Requests are handled one after the other, in order of arrival: the next head is parsed when
// the answer before it is with the kernel, so pipelined requests simply wait in the input buffer.
class Connection final : public Responder, public std::enable_shared_from_this<Connection> {
 public:
  // What the connection needs of its server, which outlives it.
  struct Host {
    EventLoop& loop;
    const Clock& clock;
    const ConnectionLimits& limits;
    ConnectionCounters& counters;
    HandlerFactory make_handler;
    std::function<void(Connection&)> on_closed;  // called once, as the last thing
  };

  Connection(const Host& host, UniqueFd socket);
  ~Connection();

  void start();
  void check_deadline();  // called now and then by the server
  void drain();           // closes when idle or amid a stream, else after the current answer
  void close();

  void respond(Response response) override;
  void limit_body(std::uint64_t bytes_max) override;
  void pause_body() override;
  void resume_body() override;

 private:
  enum class Phase : std::uint8_t {
    head,       // waiting for, or reading, a request's head
    body,       // the handler runs, its body arrives
    answering,  // the handler runs, the body has ended; nothing is read
    writing,    // the answer is going out
    lingering,  // answered before the body was read: discard input until the client closes
    closed,
  };

  void on_ready(SocketPoll::Ready ready);
  void pump();
  bool pump_input();
  bool pump_output();
  bool pump_stream();
  void end_stream();
  void look_for_leaver();
  bool parse_some();
  void on_head();
  void on_protocol_error(const Error& error);
  bool receive_some();
  void on_end_of_input();
  void discard_input();
  void finish_exchange();
  void start_warm();
  void on_warm(const Result<void>& result);
  void queue_response(Response response);
  void begin_stream(std::shared_ptr<StreamBody> stream);
  void abandon_handler();
  void linger();
  void enter(Phase phase);
  void set_deadline();
  void update_interest();
  bool has_input() const { return input_end_ > input_begin_; }

  const Host& host_;
  UniqueFd socket_;
  std::unique_ptr<SocketPoll> poll_;
  http::RequestParser parser_;
  std::unique_ptr<std::uint8_t[]> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  OutputQueue output_;
  std::shared_ptr<RequestHandler> handler_;
  std::shared_ptr<StreamBody> stream_;  // the rest of the answer that is going out; null for none
  Phase phase_ = Phase::head;
  bool pumping_ = false;
  bool body_paused_ = false;
  bool body_ended_ = false;
  bool warming_ = false;
  bool head_only_ = false;  // the request was HEAD
  bool keep_alive_ = true;  // after the current answer
  bool draining_ = false;
  bool parser_idle_ = true;    // no byte of a next request has been parsed
  bool parser_hungry_ = true;  // it can tell nothing more without further input
  bool input_ended_ = false;
  bool stream_chunked_ = true;  // false towards HTTP/1.0, where the end of the connection ends the body
  bool stream_idle_ = false;    // the stream has nothing to send for now
  bool watch_leaver_ = true;    // no input is waiting that would make the socket readable all the time
  unsigned reads_left_ = 0;     // in this pump, for fairness between connections
  unsigned pieces_left_ = 0;
  std::optional<std::chrono::milliseconds> deadline_;
};

}  // namespace reelway::origin
