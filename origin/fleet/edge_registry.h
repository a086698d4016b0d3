#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/fleet/credentials.h"
#include "origin/fleet/edge_state.h"

namespace reelway::origin {

// The edges that polled this origin lately and what they said of themselves. In memory: an origin that restarts hears
// of every edge again within a second. Thread-safe.
class EdgeRegistry {
 public:
  static constexpr std::chrono::seconds kHeardMax{10};      // an edge polls each second
  static constexpr std::chrono::minutes kStalenessMax{15};  // store.md: over it edges raise an alarm
  static constexpr std::chrono::hours kForgottenAfter{24};

  enum class Standing : std::uint8_t {
    healthy,
    draining,
    stale,     // its replica is older than kStalenessMax
    starting,  // it has no replica yet, or does not say
    silent,    // not heard for kHeardMax
  };
  static constexpr std::size_t kStandings = 5;

  struct Edge {
    std::string id;
    EdgeState state;
    Standing standing = Standing::silent;
    std::chrono::milliseconds heard_ago{0};
  };

  explicit EdgeRegistry(const Clock& clock) : clock_(clock) {}

  // With each poll of an authenticated edge; at most kEdgesMax of them are kept. A header that cannot be parsed leaves
  // the edge's former state and its age. http_bad_request.
  Result<void> heard(std::string_view edge_id, std::string_view header);

  std::vector<Edge> edges() const;  // by id
  // Of the edges that may be named to players, by id.
  std::vector<std::string> healthy_urls() const;
  std::uint64_t malformed_count() const;

 private:
  struct Entry {
    EdgeState state;
    Clock::Monotonic heard;
  };
  static Standing standing(const Entry& entry, Clock::Monotonic now);
  void forget_locked(Clock::Monotonic now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;  // guarded by mutex_
  std::uint64_t malformed_ = 0;                        // guarded by mutex_
};

std::string_view name_of(EdgeRegistry::Standing standing);

}  // namespace reelway::origin
