#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "common/base/clock.h"
#include "edge/policy/rental.h"
#include "edge/replica/rental_rights.h"
#include "edge/replica/replica_table.h"

namespace reelway::edge {

// The origin's time as another ring knows it: the machine's monotonic clock and what that ring says is to be added.
class FollowedClock final : public Clock {
 public:
  explicit FollowedClock(const Clock& local) : local_(local) {}

  Monotonic monotonic() const override { return local_.monotonic(); }
  // Until something has been said, the local wall clock.
  Wall wall() const override;
  void follow(std::chrono::milliseconds wall_less_monotonic) { ahead_ = wall_less_monotonic; }

 private:
  const Clock& local_;
  std::optional<std::chrono::milliseconds> ahead_;
};

// How the replica stands, as its ring tells the others.
struct ReplicaStanding {
  std::optional<Clock::Monotonic> verified;  // ReplicaCopy::verified
  std::chrono::milliseconds wall_less_monotonic{0};
};

struct DistantRightsOptions {
  RentalLimits limits = {};
  std::size_t kept_max = 64 * 1024;  // records; about 150 bytes each. The one kept longest goes
  std::size_t waiters_max = 4096;    // requests that wait for the replica's ring
};

// The rights on a ring that has no replica: decides by the records of the rentals that its viewers play, which the
// replica's ring gave it and keeps up to date from then on; what it has not, it asks that ring for. So a change of a
// rental counts here as soon as that ring's next message has been read. One ring thread.
class DistantRights final : public RentalRights {
 public:
  struct Answer {
    Result<void> decision;             // the replica's own
    std::optional<KnownRental> known;  // its record, to be kept
    ReplicaStanding standing;
  };
  struct Change {
    rights::EntitlementId id;
    std::optional<KnownRental> known;  // nothing: it is gone
  };
  // Asks the replica's ring; answered() follows with the ticket, never from inside.
  using Ask = std::function<void(std::uint64_t ticket, const access::EntitlementClaim& claim)>;

  DistantRights(const Clock& local, DistantRightsOptions options, Ask ask);

  std::optional<Result<void>> decide(const access::EntitlementClaim& claim, Waiter& waiter) override;
  void forget(Waiter& waiter) override;
  // Asks for the record again when it is no longer kept.
  bool still_allowed(const access::EntitlementClaim& claim) override;
  Result<void> check_title(std::string_view title) override;
  bool is_withdrawn(std::string_view title) const override;
  const RightsCounters& counters() const override { return counters_; }

  // What the replica's ring says, in its order.
  void answered(std::uint64_t ticket, const rights::EntitlementId& id, Answer answer);
  void changed(std::span<const Change> changes);
  void replaced() { kept_.clear(); }
  // All titles that were taken off. The first comes before the first stands(), so nothing is played unchecked.
  void withdrew(std::shared_ptr<const WithdrawnTitles> titles) { withdrawn_ = std::move(titles); }
  void stands(const ReplicaStanding& standing);

  // The origin's time.
  const Clock& clock() const { return clock_; }
  std::size_t kept() const { return kept_.size(); }

 private:
  static constexpr std::uint64_t kNobodyWaits = 0;

  RentalDecision decide_by(const KnownRental& known, const access::EntitlementClaim& claim) const;
  std::optional<std::chrono::milliseconds> staleness() const;
  void keep(const rights::EntitlementId& id, const KnownRental& known);

  FollowedClock clock_;
  const DistantRightsOptions options_;
  const Ask ask_;
  std::optional<Clock::Monotonic> verified_;
  std::shared_ptr<const WithdrawnTitles> withdrawn_ = std::make_shared<const WithdrawnTitles>();
  std::unordered_map<rights::EntitlementId, KnownRental, EntitlementIdHash> kept_;
  std::deque<rights::EntitlementId> oldest_;  // of kept_; may name some that are gone
  std::unordered_map<std::uint64_t, Waiter*> waiting_;
  std::uint64_t tickets_ = kNobodyWaits;
  RightsCounters counters_;
};

}  // namespace reelway::edge
