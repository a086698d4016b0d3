#include "loadtest/bench.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace reelway::loadtest {
namespace {

constexpr std::chrono::milliseconds kReconnectPause{100};

class Run final : public ClientListener {
 public:
  Run(ring::Ring& ring, const RequestList& list, const BenchOptions& options)
      : ring_(ring),
        list_(list),
        options_(options),
        settings_{list.address, options.body_use, options.expected_status, options.timeout},
        deadline_(ring) {
    for (std::size_t i = 0; i < options.connections; ++i)
      slots_.push_back(std::make_unique<Slot>(ring, settings_, *this));
  }

  BenchReport run() {
    const auto start = std::chrono::steady_clock::now();
    const double cpu = process_cpu_s();
    deadline_.arm(options_.duration, [this] { on_deadline(); });
    for (auto& slot : slots_) slot->connection.open();
    ring_.run();
    report_.elapsed = std::chrono::steady_clock::now() - start;
    report_.client_cpu_s = process_cpu_s() - cpu;
    report_.connections = slots_.size();
    return std::move(report_);
  }

  bool ever_opened() const { return ever_opened_; }

 private:
  struct Slot {
    Slot(ring::Ring& ring, const ClientSettings& settings, ClientListener& listener)
        : connection(ring, settings, listener), pause(ring) {}
    ClientConnection connection;
    ring::Timer pause;  // before a connection that failed is opened again
  };

  void opened(ClientConnection& connection) override {
    ever_opened_ = true;
    ++busy_;
    ask(connection);
  }

  void ended(ClientConnection& connection, const Exchange& exchange) override {
    if (exchange.failure == Failure::connect) {
      report_.outcomes.count_failure(*exchange.failure, exchange.detail);
      pause_then_open(connection);
      return;
    }
    count(exchange);
    if (connection.idle()) return ask(connection);
    --busy_;
    if (over()) return stop_when_done();
    ++report_.reconnects;
    // From the loop and not from here, or a server that closes each connection would deepen the stack.
    ring_.defer([&connection] { connection.open(); });
  }

  void ask(ClientConnection& connection) {
    if (over()) {
      --busy_;
      return stop_when_done();
    }
    ++begun_;
    connection.ask(list_.requests[next_]);
    if (++next_ == list_.requests.size()) next_ = 0;
  }

  void pause_then_open(ClientConnection& connection) {
    for (auto& slot : slots_) {
      if (&slot->connection != &connection) continue;
      slot->pause.arm(kReconnectPause, [this, &connection] {
        if (!over() && connection.closed()) connection.open();
      });
    }
  }

  void on_deadline() {
    past_deadline_ = true;
    stop_when_done();
  }

  bool over() const { return past_deadline_ || begun_ >= options_.requests_max; }

  void stop_when_done() {
    if (busy_ > 0) return;
    ring_.stop();
  }

  void count(const Exchange& exchange) {
    report_.outcomes.count(exchange);
    if (exchange.failure) return;
    report_.latency.record(exchange.ended - exchange.started);
    report_.first_byte.record(exchange.first_byte - exchange.started);
  }

  ring::Ring& ring_;
  const RequestList& list_;
  const BenchOptions& options_;
  const ClientSettings settings_;
  ring::Timer deadline_;
  std::vector<std::unique_ptr<Slot>> slots_;
  BenchReport report_;
  std::size_t next_ = 0;
  std::uint64_t begun_ = 0;
  std::size_t busy_ = 0;  // connections with an exchange under way
  bool past_deadline_ = false;
  bool ever_opened_ = false;
};

}  // namespace

std::string BenchReport::json() const {
  const double seconds = ms(elapsed) / 1e3;
  nlohmann::json body = outcomes.json();
  body["connections"] = connections;
  body["elapsed_s"] = seconds;
  body["requests_per_s"] = static_cast<double>(outcomes.requests) / seconds;
  body["bytes_per_s"] = static_cast<double>(outcomes.bytes) / seconds;
  body["latency_ms"] = histogram_json(latency);
  body["first_byte_ms"] = histogram_json(first_byte);
  body["client_cpu_s"] = client_cpu_s;
  body["reconnects"] = reconnects;
  return json_text(body);
}

std::string BenchReport::text() const {
  const double seconds = ms(elapsed) / 1e3;
  return fmt::format(
      "{} requests in {:.2f} s over {} connections: {:.0f} requests/s, {:.3f} GB/s\n"
      "latency     {}\n"
      "first byte  {}\n"
      "client CPU  {:.2f} s\n"
      "{}",
      outcomes.requests, seconds, connections, static_cast<double>(outcomes.requests) / seconds,
      static_cast<double>(outcomes.bytes) / seconds / 1e9, histogram_text(latency), histogram_text(first_byte),
      client_cpu_s, outcomes.failures_text());
}

Result<BenchReport> run_bench(ring::Ring& ring, const RequestList& list, const BenchOptions& options) {
  Run run(ring, list, options);
  BenchReport report = run.run();
  ring.abandon();  // connections that still wait for their peer to accept
  if (!run.ever_opened()) {
    return Error{ErrorCode::upstream_unreachable, Side::upstream, true,
                 list.authority + ": " + report.outcomes.first_failure};
  }
  return report;
}

}  // namespace reelway::loadtest
