// The plan is a number line: exchange n is begun by connection n mod N, and is due n times every/N after the start. One
// kernel timeout walks along it. A slot counts the rounds that have fallen due for its connection and those begun; what
// is between the two is owed, and begun in order as soon as the connection is idle.

#include "loadtest/pace.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

namespace reelway::loadtest {
namespace {

using std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kReconnectPause{100};
constexpr std::size_t kLogPieceBytes = 1 << 20;

// How many exchanges fall due before the duration is over; the first is due at once.
std::uint64_t planned(const PaceOptions& options) {
  const double rounds = static_cast<double>(nanoseconds(options.duration).count()) /
                        static_cast<double>(std::max<std::int64_t>(options.every.count(), 1));
  return static_cast<std::uint64_t>(std::ceil(rounds * static_cast<double>(options.connections)));
}

Result<void> check_plan(const PaceOptions& options) {
  const auto refuse = [](std::string detail) {
    return Error{ErrorCode::usage, Side::client, false, std::move(detail)};
  };
  if (options.every.count() <= 0) return refuse("the pace is faster than one request a nanosecond for each connection");
  if (options.keep_log && planned(options) > kLoggedExchangesMax) {
    return refuse(fmt::format("a log of {} exchanges is too large; at most {}", planned(options), kLoggedExchangesMax));
  }
  return {};
}

class Run {
 public:
  Run(ring::Ring& ring, const RequestList& list, const PaceOptions& options)
      : ring_(ring), list_(list), options_(options), planned_(planned(options)), patience_(ring) {
    const ClientSettings settings{list.address, options.body_use, options.expected_status, options.timeout, {}};
    settings_.assign(std::max<std::size_t>(options.sources.size(), 1), settings);
    for (std::size_t i = 0; i < options.sources.size(); ++i) settings_[i].source = options.sources[i];
    for (std::size_t i = 0; i < options.connections; ++i) {
      slots_.push_back(std::make_unique<Slot>(*this, i, settings_[i % settings_.size()]));
    }
    if (options.keep_log) report_.log.reserve(planned_);
  }

  PaceReport run() {
    untried_ = slots_.size();
    for (auto& slot : slots_) slot->connection.open();
    ring_.run();
    report_.elapsed = std::chrono::steady_clock::now() - start_;
    report_.client_cpu_s = process_cpu_s() - cpu_before_;
    report_.connections = slots_.size();
    for (const auto& slot : slots_) report_.not_begun += slot->due - slot->begun;
    return std::move(report_);
  }

  bool ever_opened() const { return ever_opened_; }

 private:
  struct Slot final : ClientListener {
    Slot(Run& owner, std::size_t index, const ClientSettings& settings)
        : run(owner), number(index), connection(owner.ring_, settings, *this), pause(owner.ring_) {}
    void opened(ClientConnection&) override { run.on_opened(*this); }
    void ended(ClientConnection&, const Exchange& exchange) override { run.on_ended(*this, exchange); }

    Run& run;
    const std::size_t number;
    ClientConnection connection;
    ring::Timer pause;  // before a connection that failed is opened again
    bool tried = false;
    std::uint64_t due = 0;    // rounds that have fallen due
    std::uint64_t begun = 0;  // of them
  };

  void on_opened(Slot& slot) {
    ever_opened_ = true;
    if (!slot.tried) return on_tried(slot);
    begin_owed(slot);
  }

  void on_tried(Slot& slot) {
    slot.tried = true;
    if (--untried_ == 0) ring_.defer([this] { start(); });
  }

  void start() {
    if (!ever_opened_) return ring_.stop();
    start_ = std::chrono::steady_clock::now();
    report_.started_at = std::chrono::system_clock::now().time_since_epoch();
    cpu_before_ = process_cpu_s();
    patience_.arm(options_.duration + options_.timeout, [this] {
      out_of_patience_ = true;
      stop_when_done();
    });
    walk();
  }

  // Whole rounds apart, or the product would overflow in a long run.
  SteadyTime due_at(std::uint64_t exchange) const {
    const auto rounds = static_cast<std::int64_t>(exchange / slots_.size());
    const auto rest = static_cast<std::int64_t>(exchange % slots_.size());
    return start_ + options_.every * rounds + options_.every * rest / static_cast<std::int64_t>(slots_.size());
  }

  void walk() {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (next_ < planned_ && due_at(next_) <= now) fall_due(next_++);
    if (next_ < planned_) return ring_.timeout(step_, due_at(next_) - now);
    stop_when_done();
  }

  void on_step(std::int32_t, std::uint32_t) { walk(); }

  void fall_due(std::uint64_t exchange) {
    Slot& slot = *slots_[exchange % slots_.size()];
    ++report_.due;
    ++slot.due;
    ++owed_;
    if (slot.connection.idle()) return begin_owed(slot);
    ++report_.late;
  }

  void begin_owed(Slot& slot) {
    if (slot.begun == slot.due || out_of_patience_) return stop_when_done();
    slot.connection.ask(list_.requests[url_of(exchange_of(slot, slot.begun))]);
    ++slot.begun;
    --owed_;
    ++under_way_;
  }

  std::uint64_t exchange_of(const Slot& slot, std::uint64_t round) const { return round * slots_.size() + slot.number; }

  std::size_t url_of(std::uint64_t exchange) const {
    return (options_.own ? exchange % slots_.size() : exchange) % list_.requests.size();
  }

  void on_ended(Slot& slot, const Exchange& exchange) {
    if (exchange.failure == Failure::connect) {
      report_.outcomes.count_failure(*exchange.failure, exchange.detail);
      slot.pause.arm(kReconnectPause, [this, &slot] { open_again(slot); });
      if (!slot.tried) on_tried(slot);
      return;
    }
    --under_way_;
    count(exchange_of(slot, slot.begun - 1), exchange);
    if (slot.connection.idle()) return begin_owed(slot);
    ++report_.reconnects;
    // From the loop and not from here, or a server that closes each connection would deepen the stack.
    ring_.defer([this, &slot] { open_again(slot); });
  }

  void open_again(Slot& slot) {
    const bool needed = next_ < planned_ || slot.begun < slot.due;
    if (needed && !out_of_patience_ && slot.connection.closed()) return slot.connection.open();
    stop_when_done();
  }

  void stop_when_done() {
    const bool none_left = next_ == planned_ && owed_ == 0;
    if ((none_left || out_of_patience_) && under_way_ == 0) ring_.stop();
  }

  void count(std::uint64_t number, const Exchange& exchange) {
    const SteadyTime due = due_at(number);
    report_.outcomes.count(exchange);
    if (!exchange.failure) {
      report_.latency.record(exchange.ended - due);
      report_.first_byte.record(exchange.first_byte - due);
    }
    if (!options_.keep_log) return;
    const bool answered = exchange.first_byte != SteadyTime{};
    report_.log.push_back({static_cast<std::uint32_t>(url_of(number)), exchange.status, exchange.body_bytes,
                           due - start_, answered ? exchange.first_byte - start_ : nanoseconds{0},
                           exchange.ended - start_});
  }

  ring::Ring& ring_;
  const RequestList& list_;
  const PaceOptions& options_;
  const std::uint64_t planned_;
  std::vector<ClientSettings> settings_;  // one for each source; the connections refer to them
  ring::Timer patience_;
  ring::Bound<Run, &Run::on_step> step_{*this};
  std::vector<std::unique_ptr<Slot>> slots_;
  PaceReport report_;
  SteadyTime start_;
  double cpu_before_ = 0;
  std::uint64_t next_ = 0;  // the exchange that falls due next
  std::uint64_t owed_ = 0;  // fallen due, not begun
  std::size_t under_way_ = 0;
  std::size_t untried_ = 0;  // connections that have been neither opened nor refused yet
  bool ever_opened_ = false;
  bool out_of_patience_ = false;
};

Result<void> write_all(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return system_error("write", path, errno);
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

std::string PaceReport::json() const {
  const double seconds = ms(elapsed) / 1e3;
  nlohmann::json body = outcomes.json();
  body["connections"] = connections;
  body["started_at_ms"] = ms(started_at);
  body["elapsed_s"] = seconds;
  body["requests_per_s"] = static_cast<double>(outcomes.requests) / seconds;
  body["due"] = due;
  body["late"] = late;
  body["not_begun"] = not_begun;
  body["latency_ms"] = histogram_json(latency);
  body["first_byte_ms"] = histogram_json(first_byte);
  body["client_cpu_s"] = client_cpu_s;
  body["reconnects"] = reconnects;
  return json_text(body);
}

std::string PaceReport::text() const {
  const double seconds = ms(elapsed) / 1e3;
  return fmt::format(
      "{} of {} requests in {:.2f} s over {} connections: {:.0f} requests/s\n"
      "late        {} began late, {} not at all\n"
      "latency     {}, from when they were due\n"
      "first byte  {}\n"
      "client CPU  {:.2f} s\n"
      "{}",
      outcomes.requests, due, seconds, connections, static_cast<double>(outcomes.requests) / seconds, late, not_begun,
      histogram_text(latency), histogram_text(first_byte), client_cpu_s, outcomes.failures_text());
}

Result<void> PaceReport::write_log(int fd, const std::string& path) const {
  std::string text;
  for (const Logged& entry : log) {
    const double first = entry.first_byte.count() == 0 ? 0 : ms(started_at + entry.first_byte);
    fmt::format_to(std::back_inserter(text), "{} {:.3f} {:.3f} {:.3f} {} {}\n", entry.url, ms(started_at + entry.due),
                   first, ms(started_at + entry.end), entry.status, entry.bytes);
    if (text.size() < kLogPieceBytes) continue;
    REELWAY_TRY(write_all(fd, path, text));
    text.clear();
  }
  return write_all(fd, path, text);
}

Result<PaceReport> run_pace(ring::Ring& ring, const RequestList& list, const PaceOptions& options) {
  REELWAY_TRY(check_plan(options));
  Run run(ring, list, options);
  PaceReport report = run.run();
  ring.abandon();  // connections that still wait for their peer to accept
  if (!run.ever_opened()) {
    return Error{ErrorCode::upstream_unreachable, Side::upstream, true,
                 list.authority + ": " + report.outcomes.first_failure};
  }
  return report;
}

}  // namespace reelway::loadtest
