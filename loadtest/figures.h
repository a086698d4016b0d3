#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "loadtest/client_connection.h"
#include "loadtest/histogram.h"

namespace reelway::loadtest {

// What came of a run's exchanges, and how every report tells it.
struct Outcomes {
  std::uint64_t requests = 0;  // that ended as they should
  std::uint64_t bytes = 0;     // of their bodies
  std::array<std::uint64_t, kFailureKinds> failures{};
  std::string first_failure;  // its detail
  std::map<std::uint16_t, std::uint64_t> statuses;

  void count(const Exchange& exchange);
  void count_failure(Failure failure, const std::string& detail);
  std::uint64_t failed() const;
  // "requests", "bytes", "errors", "first_error", "errors_by_kind", "statuses"
  nlohmann::json json() const;
  std::string failures_text() const;  // a line; empty without any
};

double ms(std::chrono::nanoseconds duration);
double process_cpu_s();  // of all threads, user and system
nlohmann::json histogram_json(const Histogram& histogram);
std::string histogram_text(const Histogram& histogram);
std::string json_text(const nlohmann::json& body);  // error details may quote bytes that are no UTF-8

}  // namespace reelway::loadtest
