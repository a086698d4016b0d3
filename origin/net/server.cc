#include "origin/net/server.h"

#include <sys/socket.h>

#include <utility>
#include <vector>

#include "common/http/serialize.h"

namespace reelway::origin {
namespace {

constexpr std::chrono::milliseconds kSweepPeriod{500};  // how late a deadline may be noticed

}  // namespace

HttpServer::HttpServer(EventLoop& loop, const Clock& clock, const ServerLimits& limits, HandlerFactory make_handler)
    : loop_(loop),
      limits_(limits),
      host_{loop,
            clock,
            limits_.connection,
            counters_.connections,
            std::move(make_handler),
            [this](Connection& connection) { closed(connection); }},
      sweep_timer_(loop, [this] { sweep(); }) {}

HttpServer::~HttpServer() {
  when_empty_ = nullptr;
  listener_.reset();
  close_all();
}

Result<void> HttpServer::listen(const std::string& host, std::uint16_t port) {
  auto listener = Listener::open(loop_, host, port, [this](UniqueFd socket) { accepted(std::move(socket)); });
  if (!listener) return listener.error();
  listener_ = std::move(listener).value();
  address_ = listener_->address();
  sweep_timer_.start_every(kSweepPeriod);
  return {};
}

const std::string& HttpServer::address() const {
  return address_;
}

void HttpServer::accepted(UniqueFd socket) {
  if (connections_.size() >= limits_.connections_max) return refuse(socket);
  ++counters_.accepted;
  auto connection = std::make_shared<Connection>(host_, std::move(socket));
  connections_.emplace(connection.get(), connection);
  connection->start();
}

// One attempt to say why, without waiting for the client.
void HttpServer::refuse(const UniqueFd& socket) {
  ++counters_.refused;
  Error error;
  error.code = ErrorCode::overloaded;
  error.retry = true;
  error.detail = std::to_string(limits_.connections_max) + " connections are open";
  const std::string text = http::error_response(error, false);
  [[maybe_unused]] const ssize_t sent = send(socket.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void HttpServer::closed(Connection& connection) {
  connections_.erase(&connection);
  if (draining_ && connections_.empty() && when_empty_) loop_.post(std::exchange(when_empty_, nullptr));
}

void HttpServer::sweep() {
  std::vector<std::shared_ptr<Connection>> open;
  open.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) open.push_back(connection);
  for (const auto& connection : open) connection->check_deadline();
}

void HttpServer::drain(std::function<void()> when_empty) {
  draining_ = true;
  listener_.reset();
  when_empty_ = std::move(when_empty);
  std::vector<std::shared_ptr<Connection>> open;
  for (const auto& [key, connection] : connections_) open.push_back(connection);
  for (const auto& connection : open) connection->drain();
  if (connections_.empty() && when_empty_) loop_.post(std::exchange(when_empty_, nullptr));
}

void HttpServer::close_all() {
  while (!connections_.empty()) {
    const auto connection = connections_.begin()->second;
    connection->close();
  }
}

}  // namespace reelway::origin
