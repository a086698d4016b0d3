#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/replica/distant_rights.h"
#include "edge/replica/replica.h"

namespace reelway::edge {

// Gives the rings that have no replica what they decide rentals by: answers their questions, and tells them of every
// change and of how the replica stands. On the replica's ring.
class RightsSource final : private ReplicaObserver {
 public:
  // Staleness is a matter of seconds.
  static constexpr std::chrono::milliseconds kTellPeriod{250};

  // Has the task run on each of the other rings, tasks in their order.
  using Tell = std::function<void(std::function<void(DistantRights&)> task)>;
  using Reply = std::function<void(DistantRights::Answer answer)>;

  RightsSource(ring::Ring& ring, const Clock& clock, Replica& replica, Tell tell);
  ~RightsSource();

  void start() {
    tell_withdrawn();
    tell_standing();
  }
  void stop() { timer_.disarm(); }
  // At once, or when the origin has been asked.
  void ask(const access::EntitlementClaim& claim, Reply reply);

 private:
  class Question;

  void rental_changed(const rights::EntitlementId& id) override;
  void rentals_replaced() override;
  void first_verified() override { tell_standing(); }
  void tell_changes();
  void tell_withdrawn();
  void tell_standing();
  ReplicaStanding standing() const;
  std::optional<KnownRental> known(const rights::EntitlementId& id) const;
  void answer(const Question& question, Result<void> decision);

  ring::Ring& ring_;
  const Clock& clock_;
  Replica& replica_;
  const Tell tell_;
  std::unordered_map<const Question*, std::unique_ptr<Question>> questions_;  // as many as Rights lets wait
  std::vector<rights::EntitlementId> changed_;                                // in this turn of the ring
  std::uint64_t told_withdrawals_ = 0;                                        // ReplicaTable::withdrawals()
  ring::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is deferred
};

}  // namespace reelway::edge
