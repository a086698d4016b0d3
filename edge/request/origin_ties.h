#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "edge/net/upstream.h"
#include "edge/replica/distant_rights.h"
#include "edge/replica/replica.h"
#include "edge/replica/rights_source.h"
#include "edge/request/key_poller.h"
#include "edge/request/options.h"
#include "edge/request/ring_team.h"
#include "edge/request/token_authority.h"

namespace reelway::edge {

// Whose keys, whose time and whose rentals one ring goes by: the origin's. The first ring follows the origin itself,
// for all; the others hear it from there, in the order in which it came. One ring thread.
class OriginTies final : private KeyPoller::Observer {
 public:
  // Of the first ring: reads the replica from disk, blocks. Errors: those of Replica::open().
  static Result<std::unique_ptr<OriginTies>> open(ring::Ring& ring, const Clock& clock, Random& random,
                                                  const EdgeConfig& config, const RingSeat& seat);
  ~OriginTies();

  RentalRights& rights();
  const Clock& clock() const;  // the origin's time

  struct Surroundings {  // outlive it
    TokenAuthority& tokens;
    Upstream& control;
    ring::SideWorkers& file_workers;
    RequestHead request_head;
    std::function<std::string()> keys_request;
  };
  void attach(Surroundings surroundings);  // once, before all that follows
  void start();
  void stop(std::function<void()> done);
  // Asks for a poll of the keys that begins after this moment; its number, for TokenAuthority::keys_polled().
  std::uint64_t poll_keys();

  // Of the first ring.
  Replica& replica() { return *replica_; }
  const KeyPoller& keys() const { return *poller_; }

 private:
  struct AwaitedPoll {  // by another ring
    std::size_t ring;
    std::uint64_t number;  // as that ring counts
    std::uint64_t poll;    // as the poller does
  };

  OriginTies(ring::Ring& ring, const Clock& clock, const EdgeConfig& config, const RingSeat& seat,
             std::unique_ptr<Replica> replica);

  void keys_changed(const KeySet& keys) override;
  void keys_polled(std::uint64_t number) override;
  void tell_others(const std::function<void(OriginTies&)>& task) const;
  void ask_first(std::uint64_t ticket, const access::EntitlementClaim& claim) const;
  void answer(std::size_t ring, std::uint64_t ticket, const access::EntitlementClaim& claim);

  ring::Ring& ring_;
  const Clock& clock_;
  const RingSeat seat_;
  KeyPollerOptions poller_options_;

  // The first ring's.
  const std::unique_ptr<Replica> replica_;
  std::unique_ptr<RightsSource> source_;  // null when the ring is alone
  std::unique_ptr<KeyPoller> poller_;
  std::vector<AwaitedPoll> awaited_;  // few: a ring asks when a token's key is not known

  // Another ring's.
  std::unique_ptr<DistantRights> distant_;
  std::uint64_t polls_asked_ = 0;

  std::unique_ptr<Surroundings> around_;
};

}  // namespace reelway::edge
