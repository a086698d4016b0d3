#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/net/connection.h"
#include "origin/net/event_loop.h"
#include "origin/net/listener.h"

namespace reelway::origin {

struct ServerLimits {
  std::size_t connections_max = 1024;
  ConnectionLimits connection;
};

struct ServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // over connections_max, answered 503
  ConnectionCounters connections;
};

// One port: its listener and its connections. Loop thread only.
class HttpServer {
 public:
  HttpServer(EventLoop& loop, const Clock& clock, const ServerLimits& limits, HandlerFactory make_handler);
  ~HttpServer();  // closes whatever is still open
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // port_in_use, config_value_invalid (no such address here), io_failed.
  Result<void> listen(const std::string& host, std::uint16_t port);
  const std::string& address() const;  // "127.0.0.1:8080", with the real port

  // No new connections; idle ones close, busy ones after their answer. `when_empty` is called once.
  void drain(std::function<void()> when_empty);
  void close_all();

  const ServerCounters& counters() const { return counters_; }
  std::size_t open_count() const { return connections_.size(); }

 private:
  void accepted(UniqueFd socket);
  void refuse(const UniqueFd& socket);
  void closed(Connection& connection);
  void sweep();

  EventLoop& loop_;
  ServerLimits limits_;
  ServerCounters counters_;
  Connection::Host host_;
  std::unique_ptr<Listener> listener_;
  std::string address_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  Timer sweep_timer_;
  bool draining_ = false;
  std::function<void()> when_empty_;
};

}  // namespace reelway::origin
