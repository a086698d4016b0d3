#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/net/socket_address.h"
#include "edge/net/upstream.h"
#include "edge/net/upstream_call.h"
#include "edge/net/upstream_connection.h"

namespace reelway::edge {

struct UpstreamOptions {
  SocketAddress address;
  std::string name;                   // for errors: "origin.example:8081"
  transport::TlsPeer* tls = nullptr;  // how to do TLS; null for plain connections. Outlives the pool
  std::size_t connections_max = 64;
  std::size_t waiting_max = 1024;  // calls that wait for a connection; one more fails with overloaded
  std::chrono::milliseconds wait_max{10'000};
  UpstreamTimeouts timeouts;
};

struct UpstreamCounters {
  std::uint64_t calls = 0;
  std::uint64_t connects = 0;
  std::uint64_t reuses = 0;
  std::uint64_t repeats = 0;   // calls repeated because an old connection had closed
  std::uint64_t failures = 0;  // connections that ended other than by being unused
  std::uint64_t waits = 0;
  std::uint64_t refused = 0;  // waiting_max or wait_max was reached
};

// Connections to one upstream, kept alive between calls. One ring thread.
class UpstreamPool final : public Upstream, private UpstreamConnection::Owner {
 public:
  UpstreamPool(ring::Ring& ring, const Clock& clock, UpstreamOptions options);
  ~UpstreamPool();

  void begin(UpstreamCall& call) override;
  // Fails all calls with shutting_down and closes all connections; then `closed` is called, once.
  void close(std::function<void()> closed);

  std::size_t connections() const { return connections_.size(); }
  std::size_t idle_connections() const { return idle_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  const UpstreamCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    UpstreamCall* call;
    Clock::Monotonic since;
  };

  void became_idle(UpstreamConnection& connection) override;
  void closed(UpstreamConnection& connection, UpstreamCall* unanswered) override;
  bool try_begin(UpstreamCall& call);
  void serve_waiting();
  void give_up_waiting();
  void check_closed();

  ring::Ring& ring_;
  const Clock& clock_;
  const UpstreamOptions options_;
  bool closing_ = false;
  std::function<void()> closed_;
  UpstreamCounters counters_;
  std::unordered_map<const UpstreamConnection*, std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> idle_;  // the most recently used last, and used first
  std::deque<Waiting> waiting_;
  ring::Timer wait_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for deferred calls
};

}  // namespace reelway::edge
