#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/rights/replica_frames.h"

// What an edge says of itself with each poll of the keys, in the request header Reelway-Edge-State:
//
//   url="http://203.0.113.7:8090"; version="0.1.0"; draining=0; revision=120; records=7; root=<32 hex>;
//   staleness_ms=300; repairs=0; snapshots=1
//
// Any part may be missing; one whose name is not known is ignored. Pure.

namespace reelway::origin {

inline constexpr std::string_view kEdgeStateHeader = "Reelway-Edge-State";
inline constexpr std::size_t kEdgeStateBytesMax = 512;
inline constexpr std::size_t kEdgeStatePartsMax = 32;
inline constexpr std::size_t kEdgeUrlBytesMax = 200;
inline constexpr std::size_t kEdgeVersionBytesMax = 32;

struct EdgeState {
  std::string url;      // where players reach it: a base URL without a slash at the end; empty: not told
  std::string version;  // of its program
  bool draining = false;
  rights::Revision revision = 0;  // of its replica, with records and root as of the last beat
  std::uint64_t records = 0;
  std::optional<rights::Sum128> root;
  std::optional<std::chrono::milliseconds> staleness;
  std::uint64_t repairs = 0;
  std::uint64_t snapshots = 0;
  bool operator==(const EdgeState&) const = default;
};

// http_bad_request names the part that has another form, or that comes twice.
Result<EdgeState> parse_edge_state(std::string_view text);

}  // namespace reelway::origin
