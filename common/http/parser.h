#pragma once

#include <cstdint>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/http/limits.h"
#include "common/http/message.h"

namespace reelway::http {

// What feed() met. It returns at each of these, so the caller acts on one event at a time and a pipelined
// second message stays in the caller's buffer. Call feed() with what is left of the input until it returns need_more,
// also when nothing is left: between `head` and `complete` of a message without a body there is no byte.
enum class ParseEvent : std::uint8_t {
  need_more,  // all input consumed, nothing to act on
  head,       // the head is complete; the body, if any, is next
  body,       // `body` holds a decoded piece of the body (a view into the input)
  complete,   // the message has ended; call reset() before feeding the next one
};

struct ParseStep {
  ParseEvent event = ParseEvent::need_more;
  std::size_t consumed = 0;  // bytes of the input used up by this step
  ByteView body;
};

// Incremental HTTP/1.1 parsing (RFC 9112) with llhttp in its strict mode. No allocation per byte and none at all
// per message once warm. After an error the connection must be closed. Refused, as request smuggling needs it:
// both Transfer-Encoding and Content-Length, repeated differing Content-Length, bare CR or LF in names and values,
// obsolete line folding, a target with control bytes or blanks, HTTP/1.1 without exactly one Host, a transfer coding
// other than chunked. A response that is refused gives upstream_failed: its fault is not the client's.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits = {});
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  Result<ParseStep> feed(ByteView input);
  const RequestHead& head() const;  // valid from `head` until reset()
  // Replaces Limits::body_bytes_max, also between `head` and the feed() after it, so that a route can set its own. A
  // longer Content-Length is refused by that feed() with upload_too_large, before any of the body is read.
  void set_body_bytes_max(std::uint64_t bytes);
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits = {});
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  // `to_head`: the request was HEAD, so the response has no body whatever its Content-Length says. Holds until the next
  // call, also over reset(): interim responses (1xx) come as messages of their own before the final one.
  void expect(bool to_head);
  Result<ParseStep> feed(ByteView input);
  // The peer closed: completes a body that is delimited by the close, else upstream_truncated.
  Result<ParseStep> finish();
  const ResponseHead& head() const;
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::http
