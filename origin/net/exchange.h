#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/http/message.h"
#include "origin/net/file_body.h"
#include "origin/net/stream_body.h"

namespace reelway::origin {

// An answer, as a handler gives it. The connection adds Content-Length or Transfer-Encoding, Date and Connection, and
// leaves the body out when the request was HEAD.
struct Response {
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const std::string> text;  // sent first; may be shared with a cache; null for none
  std::unique_ptr<FileBody> file;           // sent after the text; null for none
  std::shared_ptr<StreamBody> stream;       // instead of text and file; null for none
  bool close = false;                       // end the connection after this answer

  std::uint64_t body_bytes() const { return (text ? text->size() : 0) + (file ? file->bytes_left() : 0); }
};

Response json_response(std::uint16_t status, std::string json);
Response error_reply(const Error& error);

// What a connection offers to the handler of its current request. Valid until the handler has responded or
// abandoned() was called on it. Loop thread only.
class Responder {
 public:
  virtual void respond(Response response) = 0;  // exactly once
  // How long the body may be, if another length than the port's usual one holds for this request. Within begin() only.
  virtual void limit_body(std::uint64_t bytes_max) = 0;
  // Body bytes stop coming (after the call that is running) until resume_body(); the socket is not read meanwhile,
  // so that the client feels it.
  virtual void pause_body() = 0;
  virtual void resume_body() = 0;

 protected:
  ~Responder() = default;
};

// One request. The connection shares it with whatever work the handler started: a handler lives until both are done.
// Loop thread only.
class RequestHandler : public std::enable_shared_from_this<RequestHandler> {
 public:
  virtual ~RequestHandler() = default;
  // The head, once. Its views are valid until the handler has responded. A handler may respond here already; the body,
  // if any, is then not read and the connection closes after the answer.
  virtual void begin(const http::RequestHead& head) = 0;
  virtual void body(ByteView part) = 0;
  virtual void body_end() = 0;
  // The client ended its side before the body's announced end. It may still read: respond once everything is undone.
  virtual void body_cut(const Error& error) = 0;
  // The client is gone or broke the protocol. No respond() any more.
  virtual void abandoned() = 0;
};

}  // namespace reelway::origin
