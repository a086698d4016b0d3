#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/net/client_connection.h"
#include "edge/net/socket_address.h"

namespace reelway::edge {

struct ListenerOptions {
  std::size_t connections_max = 10'000;  // one more is told 503 overloaded and closed
  ClientLimits client;
  // Several listeners of this process share the address (SO_REUSEPORT), and connections_max is that of all: each counts
  // its own here. Null: there is but one.
  std::atomic<std::size_t>* shared_count = nullptr;
  bool is_first = true;  // of those that share: it must find the address free
};

struct ListenerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_over_limit = 0;
  std::uint64_t accept_pauses = 0;  // no descriptor or memory was left: accepting rested for a moment
};

// Accepts connections and owns them.
class Listener final : private ClientConnection::Keeper {
 public:
  // `factory` makes the answers and outlives the listener. port_in_use when the address is taken.
  static Result<std::unique_ptr<Listener>> open(ring::Ring& ring, const Clock& clock, const SocketAddress& address,
                                                const ListenerOptions& options, ExchangeFactory& factory);
  ~Listener();

  void start();
  // Accepts no more, closes idle connections, lets running answers finish (they say Connection: close), then calls
  // `drained`, once.
  void drain(std::function<void()> drained);
  // For the end of a drain's time: closes what is left; `drained` follows.
  void close_all();

  std::string address_text() const { return local_address_text(fd_.get()); }
  std::uint16_t port() const { return local_port(fd_.get()); }
  std::size_t connections() const { return connection_count_; }
  const ClientTurns& turns() const { return turns_; }
  bool draining() const { return draining_; }
  const ListenerCounters& counters() const { return counters_; }
  const ClientCounters& client_counters() const { return client_counters_; }

 private:
  Listener(ring::Ring& ring, const Clock& clock, UniqueFd fd, const ListenerOptions& options, ExchangeFactory& factory);

  void arm_accept();
  void on_accepted(std::int32_t result, std::uint32_t flags);
  void admit(UniqueFd fd);
  void refuse(UniqueFd fd);
  void rest();
  void rests(ClientConnection& connection) override;
  void rests_no_longer(ClientConnection& connection) override;
  void closed(ClientConnection& connection) override;
  void end_rests();
  void drop_ended();
  void check_drained();
  bool has_room() const;
  void count(std::size_t more, std::size_t less);

  ring::Ring& ring_;
  const Clock& clock_;
  UniqueFd fd_;
  const ListenerOptions options_;
  bool draining_ = false;
  std::function<void()> drained_;
  ListenerCounters counters_;
  ClientCounters client_counters_;
  ClientTurns turns_;
  LargeSends large_sends_;
  PagePipe page_pipe_;
  const ClientConnection::Surroundings around_;
  ConnectionList resting_;  // the one that has rested longest first, so one timer serves all
  ConnectionList busy_;     // all others but those in ended_
  std::vector<std::unique_ptr<ClientConnection>> ended_;
  std::size_t connection_count_ = 0;
  ring::Timer rest_timer_;  // of accepting
  ring::Timer idle_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for the deferred end of connections
  ring::Bound<Listener, &Listener::on_accepted> accept_{*this};
};

}  // namespace reelway::edge
