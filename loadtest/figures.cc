#include "loadtest/figures.h"

#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "common/base/check.h"

namespace reelway::loadtest {

void Outcomes::count(const Exchange& exchange) {
  if (exchange.status != 0) ++statuses[exchange.status];
  if (exchange.failure) return count_failure(*exchange.failure, exchange.detail);
  ++requests;
  bytes += exchange.body_bytes;
}

void Outcomes::count_failure(Failure failure, const std::string& detail) {
  ++failures[static_cast<std::size_t>(failure)];
  if (first_failure.empty()) first_failure = detail;
}

std::uint64_t Outcomes::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

nlohmann::json Outcomes::json() const {
  nlohmann::json body = {{"requests", requests},
                         {"bytes", bytes},
                         {"errors", failed()},
                         {"first_error", first_failure},
                         {"statuses", nlohmann::json::object()}};
  for (std::size_t i = 0; i < kFailureKinds; ++i)
    body["errors_by_kind"][failure_name(static_cast<Failure>(i))] = failures[i];
  for (const auto& [status, count] : statuses) body["statuses"][std::to_string(status)] = count;
  return body;
}

std::string Outcomes::failures_text() const {
  if (failed() == 0) return {};
  std::string text = fmt::format("errors      {}:", failed());
  for (std::size_t i = 0; i < kFailureKinds; ++i) {
    if (failures[i] > 0) text += fmt::format(" {} {}", failures[i], failure_name(static_cast<Failure>(i)));
  }
  return text + "; the first: " + first_failure + "\n";
}

double ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

double process_cpu_s() {
  rusage usage{};
  CHECK(::getrusage(RUSAGE_SELF, &usage) == 0);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

nlohmann::json histogram_json(const Histogram& histogram) {
  return {{"p50", ms(histogram.quantile(0.5))},
          {"p99", ms(histogram.quantile(0.99))},
          {"max", ms(histogram.max())},
          {"mean", ms(histogram.mean())}};
}

std::string histogram_text(const Histogram& histogram) {
  return fmt::format("p50 {:.3f} ms  p99 {:.3f} ms  max {:.3f} ms", ms(histogram.quantile(0.5)),
                     ms(histogram.quantile(0.99)), ms(histogram.max()));
}

std::string json_text(const nlohmann::json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace reelway::loadtest
