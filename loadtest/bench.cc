#include "loadtest/bench.h"

#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "common/base/check.h"

namespace reelway::loadtest {
namespace {

constexpr std::chrono::milliseconds kReconnectPause{100};

double process_cpu_s() {
  rusage usage{};
  CHECK(::getrusage(RUSAGE_SELF, &usage) == 0);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

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
      count_failure(exchange);
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
    if (exchange.status != 0) ++report_.statuses[exchange.status];
    if (exchange.failure) return count_failure(exchange);
    ++report_.requests;
    report_.bytes += exchange.body_bytes;
    report_.latency.record(exchange.ended - exchange.started);
    report_.first_byte.record(exchange.first_byte - exchange.started);
  }

  void count_failure(const Exchange& exchange) {
    ++report_.failures[static_cast<std::size_t>(*exchange.failure)];
    if (report_.first_failure.empty()) report_.first_failure = exchange.detail;
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

nlohmann::json histogram_json(const Histogram& histogram) {
  return {{"p50", ms(histogram.quantile(0.5))},
          {"p99", ms(histogram.quantile(0.99))},
          {"max", ms(histogram.max())},
          {"mean", ms(histogram.mean())}};
}

}  // namespace

std::uint64_t BenchReport::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

std::string BenchReport::json() const {
  const double seconds = ms(elapsed) / 1e3;
  nlohmann::json body = {{"connections", connections},
                         {"requests", requests},
                         {"bytes", bytes},
                         {"elapsed_s", seconds},
                         {"requests_per_s", static_cast<double>(requests) / seconds},
                         {"bytes_per_s", static_cast<double>(bytes) / seconds},
                         {"latency_ms", histogram_json(latency)},
                         {"first_byte_ms", histogram_json(first_byte)},
                         {"client_cpu_s", client_cpu_s},
                         {"reconnects", reconnects},
                         {"errors", failed()},
                         {"first_error", first_failure}};
  for (std::size_t i = 0; i < kFailureKinds; ++i)
    body["errors_by_kind"][failure_name(static_cast<Failure>(i))] = failures[i];
  for (const auto& [status, count] : statuses) body["statuses"][std::to_string(status)] = count;
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string BenchReport::text() const {
  const double seconds = ms(elapsed) / 1e3;
  std::string text = fmt::format(
      "{} requests in {:.2f} s over {} connections: {:.0f} requests/s, {:.3f} GB/s\n"
      "latency     p50 {:.3f} ms  p99 {:.3f} ms  max {:.3f} ms\n"
      "first byte  p50 {:.3f} ms  p99 {:.3f} ms  max {:.3f} ms\n"
      "client CPU  {:.2f} s\n",
      requests, seconds, connections, static_cast<double>(requests) / seconds,
      static_cast<double>(bytes) / seconds / 1e9, ms(latency.quantile(0.5)), ms(latency.quantile(0.99)),
      ms(latency.max()), ms(first_byte.quantile(0.5)), ms(first_byte.quantile(0.99)), ms(first_byte.max()),
      client_cpu_s);
  if (failed() == 0) return text;
  text += fmt::format("errors      {}:", failed());
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    if (failures[i] > 0) text += fmt::format(" {} {}", failures[i], failure_name(static_cast<Failure>(i)));
  }
  return text + "; the first: " + first_failure + "\n";
}

Result<BenchReport> run_bench(ring::Ring& ring, const RequestList& list, const BenchOptions& options) {
  Run run(ring, list, options);
  BenchReport report = run.run();
  ring.abandon();  // connections that still wait for their peer to accept
  if (!run.ever_opened()) {
    return Error{ErrorCode::upstream_unreachable, Side::upstream, true, list.authority + ": " + report.first_failure};
  }
  return report;
}

}  // namespace reelway::loadtest
