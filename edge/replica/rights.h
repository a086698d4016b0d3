#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/access/token.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/timer.h"
#include "edge/policy/rental.h"
#include "edge/replica/frame_call.h"
#include "edge/replica/rental_rights.h"
#include "edge/replica/replica_copy.h"
#include "edge/replica/rights_overlay.h"

namespace reelway::edge {

struct RightsOptions {
  RentalLimits limits = {};
  std::chrono::milliseconds ask_budget{50};       // how long a request waits for the origin's word
  std::size_t asks_max = 256;                     // entitlements asked about at one time
  std::size_t ask_calls_max = 4;                  // of them on the wire: the change stream uses the same connections
  std::size_t waiters_max = 4096;                 // requests that wait for them
  std::size_t overlay_max = 4096;                 // answers that are kept
  std::chrono::milliseconds unknown_kept{1'000};  // how long "there is no such entitlement" is believed
};

// Decides on every request whether the entitlement that its token names holds now: from memory, by the replica and the
// staleness policy of policy/rental.h. Only a fresh replica that has no record asks the origin, once for all who wait,
// so that a buyer does not wait for replication. What it said then counts until the replica has caught up. One ring
// thread.
class Rights final : public RentalRights {
 public:
  Rights(ring::Ring& ring, const Clock& clock, const ReplicaCopy& copy, RightsOptions options);
  ~Rights() override;

  // Until then, and after stop(), nobody is asked: shutting_down.
  void start(Upstream& upstream, RequestHead request_head);
  void stop();

  std::optional<Result<void>> decide(const access::EntitlementClaim& claim, Waiter& waiter) override;
  void forget(Waiter& waiter) override;
  // Asks nobody.
  bool still_allowed(const access::EntitlementClaim& claim) override;
  Result<void> check_title(std::string_view title) override;
  bool is_withdrawn(std::string_view title) const override;

  std::size_t asking() const { return asks_.size(); }
  std::size_t kept_answers() const { return overlay_.size(); }
  const RightsCounters& counters() const override { return counters_; }

 private:
  struct Asker {
    access::EntitlementClaim claim;
    Clock::Monotonic until;
    Waiter* waiter;
  };
  struct Ask {
    std::vector<Asker> askers;
    std::shared_ptr<FrameCall> call;  // null while it waits for its turn
  };
  struct Telling {
    Waiter* waiter;
    Result<void> decision;
  };
  using Asks = std::unordered_map<rights::EntitlementId, Ask, EntitlementIdHash>;

  using Decide = std::function<Result<void>(const Asker&)>;

  RentalDecision decide_from_memory(const access::EntitlementClaim& claim) const;
  Result<void> decide_answered(const access::EntitlementClaim& claim, const OverlayEntry& answer) const;
  const OverlayEntry* find_kept(const rights::EntitlementId& id) const;
  std::optional<Result<void>> ask(const access::EntitlementClaim& claim, Waiter& waiter);
  void begin_calls();
  void begin_call(const rights::EntitlementId& id, Ask& ask);
  void abandon_call(const rights::EntitlementId& id);
  void answered(const rights::EntitlementId& id, const OverlayEntry& answer);
  void failed(const rights::EntitlementId& id, const Error& error);
  void release(const rights::EntitlementId& id, const Decide& decision);
  void tell(const std::vector<Asker>& askers, const Decide& decision);
  void release_late();
  void arm_budget(Clock::Monotonic until);

  ring::Ring& ring_;
  const Clock& clock_;
  const ReplicaCopy& copy_;
  const RightsOptions options_;
  Upstream* upstream_ = nullptr;
  RequestHead request_head_;
  RightsOverlay overlay_;
  std::uint64_t overlay_cluster_ = 0;  // ReplicaCopy::cluster_changes at which the overlay's revisions mean something
  Asks asks_;
  std::deque<rights::EntitlementId> queue_;  // of asks_ that wait for their turn on the wire, oldest first
  std::deque<Telling> telling_;              // about to be told
  std::size_t waiters_ = 0;
  std::size_t calls_ = 0;
  ring::Timer budget_timer_;
  RightsCounters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for calls that end after this
};

}  // namespace reelway::edge
