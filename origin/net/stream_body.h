#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace reelway::origin {

// A response's body whose length is not known when the head goes out: sent in chunks (RFC 9112, section 7.1) as it
// grows. The connection asks for a piece when everything before it is with the kernel, so a slow client holds one piece
// and no more. Loop thread only.
class StreamBody {
 public:
  struct Piece {
    enum class Kind : std::uint8_t {
      bytes,        // `bytes`, not empty
      nothing_yet,  // `more` will be called
      end,          // the body is whole
      cut,          // it cannot be ended properly: the connection closes short of the last chunk
    };
    Kind kind = Kind::nothing_yet;
    std::shared_ptr<const std::string> bytes;
  };

  virtual ~StreamBody() = default;
  // Once, before the first take(). `more` is to be called on the loop, not from inside take(), when a take() that had
  // nothing may have something now. Calling it in vain does no harm.
  virtual void begin(std::function<void()> more) = 0;
  virtual Piece take() = 0;
  // The connection is done with the body, ended or not: neither side calls the other any more. Once, after begin().
  virtual void leave() = 0;
};

}  // namespace reelway::origin
