#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/ring/ring.h"
#include "loadtest/client_connection.h"
#include "loadtest/figures.h"
#include "loadtest/histogram.h"
#include "loadtest/request_list.h"

namespace reelway::loadtest {

inline constexpr std::uint64_t kLoggedExchangesMax = 10'000'000;  // 40 bytes each, kept until the run has ended

struct PaceOptions {
  std::size_t connections = 16;
  std::chrono::nanoseconds every{1'000'000'000};  // how often each connection asks
  std::chrono::milliseconds duration{2000};       // how long exchanges fall due
  bool own = false;                               // connection i only ever asks for URL i
  std::vector<in_addr> sources{};                 // local addresses of the connections, in rotation; empty: any
  bool keep_log = false;
  BodyUse body_use = BodyUse::count;
  std::uint16_t expected_status = 200;  // 0: any
  std::chrono::milliseconds timeout{30'000};
};

struct PaceReport {
  // One exchange. Times since the run's start; zero first_byte: no answer began.
  struct Logged {
    std::uint32_t url = 0;  // its number in the list
    std::uint16_t status = 0;
    std::uint64_t bytes = 0;
    std::chrono::nanoseconds due{0};
    std::chrono::nanoseconds first_byte{0};
    std::chrono::nanoseconds end{0};
  };

  Outcomes outcomes;
  std::uint64_t due = 0;        // exchanges that the plan asked for
  std::uint64_t late = 0;       // their connection was not ready when they fell due
  std::uint64_t not_begun = 0;  // given up `timeout` after the duration, because the server was that far behind
  std::uint64_t reconnects = 0;
  Histogram latency;     // from the moment an exchange was due until its end
  Histogram first_byte;  // the same until its first byte
  std::chrono::nanoseconds elapsed{0};
  std::chrono::nanoseconds started_at{0};  // wall clock, since 1970
  double client_cpu_s = 0;
  std::size_t connections = 0;
  std::vector<Logged> log;  // in the order in which they ended

  // Everything that was due has ended as it should.
  bool whole() const { return outcomes.failed() == 0 && not_begun == 0; }
  std::string json() const;
  std::string text() const;
  // A line each: "url_index due_ms first_byte_ms end_ms status bytes", in milliseconds of the wall clock since 1970.
  Result<void> write_log(int fd, const std::string& path) const;
};

// Open loop: each connection begins one exchange every `every`, the connections spread evenly over that time, whether
// or not the server keeps up. An exchange whose connection is still busy begins as soon as it is not, and its latency
// still counts from when it was due, so that a server that stalls cannot hide the requests it kept from being made
// ("coordinated omission"). Exchange n of the run asks for URL n modulo the list. The clock starts once all connections
// have been tried. usage for a plan that cannot be kept, upstream_unreachable if no connection could be made.
Result<PaceReport> run_pace(ring::Ring& ring, const RequestList& list, const PaceOptions& options);

}  // namespace reelway::loadtest
