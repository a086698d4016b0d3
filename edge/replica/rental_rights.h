#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/access/token.h"
#include "common/base/result.h"

namespace reelway::edge {

struct RightsCounters {
  std::uint64_t allowed = 0;
  std::uint64_t allowed_unseen = 0;  // of them without a record, because the replica is behind (staleness policy)
  std::uint64_t denied = 0;          // by a record
  std::uint64_t too_stale = 0;
  std::uint64_t unknown = 0;       // the origin knows no such entitlement, or did not say
  std::uint64_t asks = 0;          // questions sent to the origin
  std::uint64_t asks_shared = 0;   // requests that joined a question under way
  std::uint64_t asks_failed = 0;   // without an answer of the origin
  std::uint64_t asks_late = 0;     // requests whose budget passed first
  std::uint64_t asks_shed = 0;     // requests that found asks_max or waiters_max reached
  std::uint64_t kept_unknown = 0;  // refused by the origin's answer to a former question
};

// Decides on every request whether the entitlement that its token names holds now. One ring thread.
class RentalRights {
 public:
  // Hears of a decision that was not made at once. Call forget() before it is destroyed while it waits.
  class Waiter {
   public:
    virtual void rights_decided(Result<void> decision) = 0;

   protected:
    ~Waiter() = default;
  };

  virtual ~RentalRights() = default;

  // The decision, or nothing: then waiter.rights_decided() follows, never from inside this call. Errors: those of
  // rights::denial, rights_too_stale, and rental_unknown when the origin says that there is none. When it did not say,
  // nobody knows, and the viewer may try again: overloaded, timed_out, upstream_failed, shutting_down.
  virtual std::optional<Result<void>> decide(const access::EntitlementClaim& claim, Waiter& waiter) = 0;
  virtual void forget(Waiter& waiter) = 0;

  // For an answer that is under way: false when a record denies it by now, and then decide() says so at once. What is
  // not known, or not fresh enough to begin with, goes on.
  virtual bool still_allowed(const access::EntitlementClaim& claim) = 0;

  // Whether the title is on at all: for every request, also of tokens that name no entitlement. title_not_published,
  // rights_too_stale; counted like other refusals.
  virtual Result<void> check_title(std::string_view title) = 0;
  // For an answer that is under way.
  virtual bool is_withdrawn(std::string_view title) const = 0;

  virtual const RightsCounters& counters() const = 0;
};

// Into the counter of its kind.
Result<void> count_decision(RightsCounters& counters, Result<void> decision);

}  // namespace reelway::edge
