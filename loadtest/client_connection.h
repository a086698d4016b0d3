#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/http/parser.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"

namespace reelway::loadtest {

enum class BodyUse : std::uint8_t {
  discard,   // the kernel drops the body's bytes (MSG_TRUNC), so that large bodies load the server and not us
  count,     // received, counted, not looked at
  checksum,  // received, with CRC-32C
};

enum class Failure : std::uint8_t { connect, closed, timeout, malformed, status, length };
inline constexpr std::size_t kFailureKinds = 6;
std::string_view failure_name(Failure failure);

// One request and what came of it.
struct Exchange {
  using Time = std::chrono::steady_clock::time_point;

  std::optional<Failure> failure;
  std::string detail;  // of the failure
  std::uint16_t status = 0;
  std::uint64_t body_bytes = 0;
  std::uint32_t crc32c = 0;  // with BodyUse::checksum
  std::string cache_status;  // with BodyUse::checksum
  Time started;
  Time first_byte;  // of the response; the epoch if none came
  Time ended;
};

class ClientConnection;

class ClientListener {
 public:
  virtual void opened(ClientConnection& connection) = 0;
  // The answer to open() when it failed (failure `connect`), and to each ask(). The connection is idle or closed.
  virtual void ended(ClientConnection& connection, const Exchange& exchange) = 0;

 protected:
  ~ClientListener() = default;
};

struct ClientSettings {
  sockaddr_in address{};
  BodyUse body_use = BodyUse::count;
  std::uint16_t expected_status = 200;        // 0: any
  std::chrono::milliseconds timeout{30'000};  // of connecting, and of each exchange
  std::optional<in_addr> source{};            // the local address; the kernel's choice without one
};

// A keep-alive HTTP/1.1 connection that makes one exchange at a time. `settings` and `listener` outlive it, and it
// may be destroyed only while idle or closed.
class ClientConnection {
 public:
  ClientConnection(ring::Ring& ring, const ClientSettings& settings, ClientListener& listener);
  ~ClientConnection();

  void open();                         // only when closed
  void ask(std::string_view request);  // only when idle; the text lives until ended()
  bool idle() const { return phase_ == Phase::idle; }
  bool closed() const { return phase_ == Phase::closed; }

 private:
  enum class Phase : std::uint8_t { closed, connecting, idle, head, body, discarding, failing };

  bool bind_source();
  void on_connected(std::int32_t result, std::uint32_t flags);
  void on_sent(std::int32_t result, std::uint32_t flags);
  void on_received(std::int32_t result, std::uint32_t flags);
  void watch_time();
  void on_timeout();
  void arm_receive();
  void begin_discarding(std::uint64_t already_here);
  void on_discarded(std::int32_t result);
  void on_peer_closed();
  void feed(ByteView input);
  bool on_head();  // false: an interim response, or the exchange has failed
  void on_body(ByteView piece);
  void on_complete(ByteView rest);
  void fail(Failure failure, std::string detail);
  void finish_when_quiet();

  ring::Ring& ring_;
  const ClientSettings& settings_;
  ClientListener& listener_;
  Phase phase_ = Phase::closed;
  UniqueFd fd_;
  std::vector<std::uint8_t> buffer_;
  std::string_view request_;
  http::ResponseParser parser_;
  Exchange exchange_;
  std::uint64_t remaining_ = 0;  // of the body, while discarding
  bool complete_ = false;        // the response has ended
  bool keep_alive_ = true;
  ring::Timer timer_;
  ring::Bound<ClientConnection, &ClientConnection::on_connected> connect_{*this};
  ring::Bound<ClientConnection, &ClientConnection::on_sent> send_{*this};
  ring::Bound<ClientConnection, &ClientConnection::on_received> receive_{*this};
};

}  // namespace reelway::loadtest
