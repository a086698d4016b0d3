#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/base/error.h"
#include "common/http/message.h"

namespace reelway::edge {

// One request to the upstream, seen by the pool; whoever wants the answer implements it. Calls come on the ring's
// thread: head(), then room() and advanced() in turn, then ended(); or failed() at any point. After ended() and
// failed() the pool has forgotten the call. A call that wants no more says false, and failed() does not follow.
class UpstreamCall {
 public:
  virtual const std::string& request_text() const = 0;  // the whole head; must stay until the end
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
