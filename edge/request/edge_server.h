#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "edge/net/listener.h"
#include "edge/policy/cors.h"
#include "edge/request/access_log.h"
#include "edge/request/counters.h"
#include "edge/request/fill.h"
#include "edge/request/hand_over.h"
#include "edge/request/options.h"
#include "edge/request/origin_ties.h"
#include "edge/request/request.h"
#include "edge/request/ring_team.h"
#include "edge/request/services.h"
#include "edge/request/token_authority.h"
#include "edge/request/upstreams.h"
#include "edge/store/store.h"

namespace reelway::edge {

// One ring's edge, but for the operator's port: owns the parts and joins them. Alone, or one of a team (edge_rings.h).
class EdgeServer final : private ExchangeFactory {
 public:
  struct Place {
    RingSeat seat;                                           // the team outlives it
    std::atomic<std::size_t>* shared_connections = nullptr;  // of the team; null when alone
  };

  // `config`: this ring's share. Blocks: looks up names, opens the store. Errors are those of a start-up.
  static Result<std::unique_ptr<EdgeServer>> create(ring::Ring& ring, const Clock& clock, EdgeConfig config,
                                                    const Place& place);
  static Result<std::unique_ptr<EdgeServer>> create(ring::Ring& ring, const Clock& clock, EdgeConfig config) {
    return create(ring, clock, std::move(config), Place{});
  }
  ~EdgeServer();

  void start();
  // The end, alone: both of the following, within drain.timeout; what does not finish in time is cut. A second call
  // does nothing.
  void drain(std::function<void()> drained);
  // Finishes running answers, and cuts what is left when most of drain.timeout has passed; then calls `finished`. What
  // other rings' connections ask for is answered still.
  void finish_answers(std::function<void()> finished);
  // After that, on all rings: ends fills and flushes the store; then calls `closed`.
  void close(std::function<void()> closed);

  bool draining() const { return draining_; }
  Clock::Monotonic started() const { return started_; }
  const EdgeConfig& config() const { return config_; }
  const RingSeat& seat() const { return seat_; }
  ring::Ring& ring() { return ring_; }
  const Clock& clock() const { return clock_; }
  // Whether it can say yes to a viewer: it has keys, and a copy of the rentals that is not too old. Of the first ring.
  bool ready() const { return why_not_ready().empty(); }
  std::string_view why_not_ready() const;
  Store& store() { return *store_; }
  TokenAuthority& tokens() { return tokens_; }
  OriginTies& origin() { return *origin_; }
  Replica& replica() { return origin_->replica(); }  // of the first ring
  const Listener& listener() const { return *listener_; }
  const Upstreams& upstreams() const { return *upstreams_; }
  const Site* site() const { return site_.get(); }
  Prefetch& prefetch() { return prefetch_; }
  const Relay& relay() const { return relay_; }
  const RunningRequests& running() const { return running_; }
  HandedRequests& handed() { return handed_; }
  const Fills& fills() const { return fills_; }
  const RequestCounters& counters() const { return counters_; }
  const AccessLog* access_log() const { return access_log_.get(); }
  // As Store::probe(), wherever the object is at home. `done` comes on this ring.
  void probe(const std::string& home_key, const std::string& key,
             std::function<void(std::optional<Store::Probe>)> done);

 private:
  struct Opened {  // what can fail to open
    std::unique_ptr<Store> store;
    std::unique_ptr<Random> random;
    std::unique_ptr<OriginTies> origin;
    std::unique_ptr<AccessLog> access_log;
    std::unique_ptr<Upstreams> upstreams;
  };

  EdgeServer(ring::Ring& ring, const Clock& clock, EdgeConfig config, const Place& place, Opened opened);

  std::unique_ptr<Exchange> make_exchange(ResponseStream& stream) override;
  std::string keys_request() const;
  bool upstream_has_room() const;
  void recheck_rentals();
  Site make_site();

  ring::Ring& ring_;
  const Clock& clock_;
  const RingSeat seat_;
  const EdgeConfig config_;
  const std::string upstream_name_;
  const Clock::Monotonic started_;
  const std::unique_ptr<AccessLog> access_log_;
  const std::unique_ptr<Store> store_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<OriginTies> origin_;
  const CorsPolicy cors_;
  RequestCounters counters_;
  const std::unique_ptr<Upstreams> upstreams_;
  Fills fills_;
  std::unique_ptr<Site> site_;
  Prefetch prefetch_;
  Relay relay_;
  RunningRequests running_;
  TokenAuthority tokens_;
  Services services_;
  HandedRequests handed_;
  std::unique_ptr<Listener> listener_;
  // Last, so that their threads end before what their jobs' ends refer to. Signatures and files apart: a disk that
  // hangs must not keep viewers waiting for their token's check.
  ring::SideWorkers signature_workers_;
  ring::SideWorkers file_workers_;
  bool draining_ = false;
  bool is_closing_ = false;
  ring::Timer drain_timer_;
  ring::Timer recheck_timer_;
};

}  // namespace reelway::edge
