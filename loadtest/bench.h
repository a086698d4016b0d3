#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/ring/ring.h"
#include "loadtest/client_connection.h"
#include "loadtest/figures.h"
#include "loadtest/histogram.h"
#include "loadtest/request_list.h"

namespace reelway::loadtest {

struct BenchOptions {
  std::size_t connections = 16;
  std::chrono::milliseconds duration{2000};
  std::uint64_t requests_max = UINT64_MAX;
  BodyUse body_use = BodyUse::count;
  std::uint16_t expected_status = 200;
  std::chrono::milliseconds timeout{30'000};
};

struct BenchReport {
  Outcomes outcomes;
  std::uint64_t reconnects = 0;
  Histogram latency;
  Histogram first_byte;
  std::chrono::nanoseconds elapsed{0};
  double client_cpu_s = 0;
  std::size_t connections = 0;

  std::string json() const;
  std::string text() const;
};

// Closed loop: each connection asks for the next request in rotation as soon as its last one has ended. After
// `duration` no new one is begun and those under way are finished, so bytes and requests are whole.
// upstream_unreachable if no connection could be made.
Result<BenchReport> run_bench(ring::Ring& ring, const RequestList& list, const BenchOptions& options);

}  // namespace reelway::loadtest
