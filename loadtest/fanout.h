#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/ring/ring.h"
#include "loadtest/client_connection.h"
#include "loadtest/request_list.h"

namespace reelway::loadtest {

struct FanoutOptions {
  std::size_t clients = 100;
  std::uint16_t expected_status = 200;
  std::chrono::milliseconds timeout{30'000};
};

struct FanoutReport {
  // Per client, in the order in which they were released; times since the release.
  struct Client {
    Exchange exchange;
    std::chrono::nanoseconds first_byte{0};
    std::chrono::nanoseconds end{0};
  };
  std::vector<Client> clients;

  std::uint64_t failed() const;
  bool equal_bodies() const;  // every client got the same length and CRC-32C, without a failure
  // Whether each client had its first byte before any client had its last: the body was read while it was filled.
  bool first_bytes_before_any_end() const;
  // The same against the last end only; true for any overlap at all.
  bool first_bytes_before_last_end() const;
  std::map<std::string, std::uint64_t> cache_statuses() const;
  std::string json() const;
};

// Opens all connections, then releases one request on each in the same turn of the loop. upstream_unreachable if any
// connection cannot be made, for then they would not ask at once.
Result<FanoutReport> run_fanout(ring::Ring& ring, const RequestList& list, const FanoutOptions& options);

}  // namespace reelway::loadtest
