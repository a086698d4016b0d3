#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/http/message.h"
#include "edge/net/client_address.h"

namespace reelway::edge {

// The way of one answer back to its client, whatever carries it: HTTP/1.1 over TCP now; TLS and HTTP/2 come in behind
// this interface. One ring thread. The stream outlives its Exchange.
class ResponseStream {
 public:
  // Up to three runs of bytes that leave together: a head or a chunk's size line, a piece of body that is sent from
  // where it lies, and a chunk's end. `owner` keeps the body's memory until it has been sent. A body that is
  // lent may be sent by reference: nobody writes to its memory again, not even when it has been sent (page_pipe.h).
  struct Piece {
    std::string head;
    ByteView body;
    std::string_view tail;  // of static storage
    std::shared_ptr<const void> owner;
    bool lent = false;
  };

  // Valid between Exchange::begin() and finish().
  virtual const http::RequestHead& request() const = 0;
  // What came with the request, when the listener keeps content (ClientLimits::keep_content); else empty.
  virtual std::string_view content() const = 0;
  virtual std::optional<ClientAddress> peer_address() const = 0;  // nullopt: the peer is gone already
  // Whether the connection may be used again after this answer: the client's wish and the server's, which is
  // against it while it drains.
  virtual bool may_keep_alive() const = 0;

  // One at a time; Exchange::written() follows when the piece has left, or client_gone() when it cannot.
  virtual void write(Piece piece) = 0;
  // The answer is complete. Nothing may be written after it; the next begin() may come.
  virtual void finish(bool keep_alive) = 0;
  // The answer cannot be completed: resets the connection, so that the client cannot take what it got for the whole.
  // client_gone() does not follow.
  virtual void abort() = 0;

 protected:
  ~ResponseStream() = default;
};

// Answers requests, one after another. What it remembers of one must not reach the next, which may be of another
// client.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void begin() = 0;        // a whole request has been received
  virtual void written() = 0;      // the last piece has left
  virtual void client_gone() = 0;  // forget the request that is being answered: no call to the stream may follow
};

class ExchangeFactory {
 public:
  virtual std::unique_ptr<Exchange> make_exchange(ResponseStream& stream) = 0;

 protected:
  ~ExchangeFactory() = default;
};

}  // namespace reelway::edge
