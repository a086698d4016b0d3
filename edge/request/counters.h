#pragma once

#include <array>
#include <cstdint>

#include "common/base/error_codes.h"
#include "common/telemetry/metrics.h"
#include "edge/policy/cache_status.h"

namespace reelway::edge {

// What the requests of the public port add up to. Plain integers of the ring's thread.
struct RequestCounters {
  static constexpr std::size_t kOutcomes = kCacheOutcomes;
  static constexpr std::size_t kErrors = static_cast<std::size_t>(ErrorCode::usage) + 1;

  std::array<std::uint64_t, kOutcomes> by_outcome{};
  std::array<std::uint64_t, 6> by_status_class{};  // by the status's first digit
  std::array<std::uint64_t, kErrors> by_error{};
  std::uint64_t body_bytes = 0;
  std::uint64_t rental_cuts = 0;  // answers ended because their rental ended
  std::uint64_t cut_answers = 0;  // given up after their head had been sent
  telemetry::Histogram hit_time;  // from the whole request to the last byte handed over
  telemetry::Histogram miss_time;
};

}  // namespace reelway::edge
