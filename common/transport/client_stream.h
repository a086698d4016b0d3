#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ring/ring.h"

namespace reelway::transport {

class TlsPeer;

// One connection to a server over the ring, whatever carries the bytes. Of connect, send and receive one each may be
// under way; what they were given must stay until they are answered. One ring thread.
class ClientStream {
 public:
  // Never called from inside a call to the stream. A stream may be cancelled, but not destroyed, from there.
  class Owner {
   public:
    // With TLS: the server has shown who it is. Errors: upstream_unreachable, upstream_untrusted.
    virtual void connected(Result<void> outcome) = 0;
    // All bytes have left, or (negative errno) some have not.
    virtual void sent(std::int32_t result) = 0;
    // A count, 0 at the end that the server meant, or a negative errno. Over TLS a connection that closes without the
    // server's word for it is reset (-ECONNRESET): anyone may have cut it.
    virtual void received(std::int32_t result) = 0;
    // After cancel(): nothing is under way any more.
    virtual void quiet() = 0;

   protected:
    ~Owner() = default;
  };
  // What has come without having been asked for.
  enum class Unasked : std::uint8_t { nothing, bytes, end };

  virtual ~ClientStream() = default;
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  // Makes the socket; an error when that fails, and then nothing follows. Else connected().
  virtual Result<void> connect(const sockaddr* address, socklen_t length) = 0;
  virtual void send(ByteView bytes) = 0;
  virtual void receive(std::span<std::uint8_t> target) = 0;
  virtual bool sending() const = 0;
  virtual bool receiving() const = 0;
  // Over TLS only what has been decrypted or can be: what the kernel holds may be TLS's own.
  virtual Unasked unasked() = 0;
  // Takes everything back. True when nothing was under way: the stream may be destroyed at once, in the owner's own
  // function but not the stream's; else quiet() follows, and nothing else.
  virtual bool cancel() = 0;

 protected:
  ClientStream() = default;
};

// `tls`: how to do TLS, or null for a plain connection.
std::unique_ptr<ClientStream> make_client_stream(ring::Ring& ring, ClientStream::Owner& owner, TlsPeer* tls);

}  // namespace reelway::transport
