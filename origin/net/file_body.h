#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/base/result.h"

namespace reelway::origin {

// A part of a response's body that comes from a file. The connection that sends it does not know of page caches and
// checksums: it asks for one bounded turn at a time, and for the next bytes to be brought in when they are cold.
class FileBody {
 public:
  enum class Turn : std::uint8_t {
    sent,     // some bytes went out; more may follow
    blocked,  // the socket takes no more for now
    cold,     // the next bytes are not fit to send without blocking: call warm()
    failed,   // the socket or the file failed
  };

  virtual ~FileBody() = default;
  virtual std::uint64_t bytes_left() const = 0;
  // Sends at most one turn's worth. Never blocks.
  virtual Turn send(int socket) = 0;
  // Brings the next bytes in on a worker; `ready` is called on the loop. An Error ends the response.
  virtual void warm(std::function<void(Result<void>)> ready) = 0;
};

}  // namespace reelway::origin
