#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/http/message.h"

namespace reelway::edge {

// RFC 9110 section 9.2.2, by the method that the request begins with.
inline bool is_idempotent(std::string_view request_text) {
  const std::string_view method = request_text.substr(0, request_text.find(' '));
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
         method == "TRACE";
}

// One request to the upstream, seen by the pool; whoever wants the answer implements it. Calls come on the ring's
// thread: head(), then room() and advanced() in turn, then ended(); or failed() at any point. After ended() and
// failed() the pool has forgotten the call. A call that wants no more says false, and failed() does not follow.
class UpstreamCall {
 public:
  // The whole request, its content included; must stay until the end.
  virtual const std::string& request_text() const = 0;
  // Whether the request may be sent again when it is not known what became of it. By its method, unless the caller
  // knows better.
  virtual bool repeatable() const { return is_idempotent(request_text()); }
  // The request is about to be given to a connection: from here on a part of it may have reached the upstream.
  virtual void request_leaves() {}
  virtual void interim(const http::ResponseHead&) {}  // an answer of 1xx; the final one is still to come
  virtual bool head(const http::ResponseHead& head) = 0;
  // Where the next bytes of the body may land: they are received there without a copy. Must stay valid until
  // advanced() or failed(); an empty room ends the call with upstream_failed.
  virtual std::span<std::uint8_t> room() = 0;
  virtual bool advanced(std::size_t bytes) = 0;
  virtual void ended() = 0;
  virtual void failed(Error error) = 0;

 protected:
  ~UpstreamCall() = default;
};

}  // namespace reelway::edge
