#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reelway::telemetry {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

// One metric a program exports. Each program has one table of these; its page in docs/reference is generated from it.
struct MetricInfo {
  std::string_view name;  // reelway_edge_requests_total: program, what, unit, _total for counters
  MetricKind kind;
  std::string_view help;
};

using Label = std::pair<std::string_view, std::string_view>;

// Counts durations into fixed buckets. Plain integers: one thread writes, the same thread makes the page.
class Histogram {
 public:
  // The buckets' upper bounds double from 0.5 ms to 8.192 s.
  void observe_us(std::uint64_t microseconds);

 private:
  friend class MetricPage;
  static constexpr std::size_t kBuckets = 15;
  std::uint64_t counts_[kBuckets + 1] = {};
  std::uint64_t sum_us_ = 0;
};

// Collects values at scrape time from plain counters that their owners keep (no atomics on a hot path), and prints
// the Prometheus text format 0.0.4. A value that is given again, with the same labels, adds to the former one, gauges
// too: so what threads count apart comes together.
class MetricPage {
 public:
  MetricPage();
  ~MetricPage();
  MetricPage& counter(const MetricInfo& info, std::uint64_t value, std::initializer_list<Label> labels = {});
  MetricPage& gauge(const MetricInfo& info, double value, std::initializer_list<Label> labels = {});
  MetricPage& histogram(const MetricInfo& info, const Histogram& value, std::initializer_list<Label> labels = {});
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A page for docs/reference: the table of a program as Markdown. `program` is its name, "reelway-edge".
std::string reference_page(std::span<const MetricInfo> table, std::string_view program);

}  // namespace reelway::telemetry
