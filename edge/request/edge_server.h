#pragma once

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
#include "edge/replica/replica.h"
#include "edge/request/access_log.h"
#include "edge/request/counters.h"
#include "edge/request/fill.h"
#include "edge/request/key_poller.h"
#include "edge/request/options.h"
#include "edge/request/request.h"
#include "edge/request/services.h"
#include "edge/request/token_authority.h"
#include "edge/request/upstreams.h"
#include "edge/store/store.h"

namespace reelway::edge {

// One edge but for its admin port: owns the parts and joins them. One ring thread.
class EdgeServer final : private ExchangeFactory, private KeyPoller::Observer {
 public:
  // Blocks: looks up names, opens the store. Errors are those of a start-up.
  static Result<std::unique_ptr<EdgeServer>> create(ring::Ring& ring, const Clock& clock, EdgeConfig config);
  ~EdgeServer();

  void start();
  // Finishes running answers within drain.timeout and cuts what is left, ends fills, flushes the store; then calls
  // `drained`. A second call does nothing.
  void drain(std::function<void()> drained);

  bool draining() const { return draining_; }
  // Whether it can say yes to a viewer: it has keys, and a copy of the rentals that is not too old.
  bool ready() const { return why_not_ready().empty(); }
  std::string_view why_not_ready() const;
  Clock::Monotonic started() const { return started_; }
  const EdgeConfig& config() const { return config_; }
  Store& store() { return *store_; }
  TokenAuthority& tokens() { return tokens_; }
  const Listener& listener() const { return *listener_; }
  const Upstreams& upstreams() const { return *upstreams_; }
  const Site* site() const { return site_.get(); }
  const KeyPoller& keys() const { return poller_; }
  Replica& replica() { return *replica_; }
  const Prefetch& prefetch() const { return prefetch_; }
  const Relay& relay() const { return relay_; }
  const RunningRequests& running() const { return running_; }
  const Fills& fills() const { return fills_; }
  const RequestCounters& counters() const { return counters_; }
  const AccessLog* access_log() const { return access_log_.get(); }

 private:
  struct Opened {  // what can fail to open
    std::unique_ptr<Store> store;
    std::unique_ptr<Random> random;
    std::unique_ptr<Replica> replica;
    std::unique_ptr<AccessLog> access_log;
    std::unique_ptr<Upstreams> upstreams;
  };

  EdgeServer(ring::Ring& ring, const Clock& clock, EdgeConfig config, Opened opened);

  std::unique_ptr<Exchange> make_exchange(ResponseStream& stream) override;
  void keys_changed(const KeySet& keys) override { tokens_.set_keys(keys); }
  void keys_polled(std::uint64_t number) override { tokens_.keys_polled(number); }
  std::string keys_request() const;
  bool upstream_has_room() const;
  void recheck_rentals();
  void answers_drained();
  Site make_site();

  ring::Ring& ring_;
  const Clock& clock_;
  const EdgeConfig config_;
  const std::string upstream_name_;
  const Clock::Monotonic started_;
  const std::unique_ptr<AccessLog> access_log_;
  const std::unique_ptr<Store> store_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Replica> replica_;
  const CorsPolicy cors_;
  RequestCounters counters_;
  const std::unique_ptr<Upstreams> upstreams_;
  Fills fills_;
  std::unique_ptr<Site> site_;
  Prefetch prefetch_;
  Relay relay_;
  RunningRequests running_;
  TokenAuthority tokens_;
  KeyPoller poller_;
  Services services_;
  std::unique_ptr<Listener> listener_;
  // Last, so that their threads end before what their jobs' ends refer to. Signatures and files apart: a disk that
  // hangs must not keep viewers waiting for their token's check.
  ring::SideWorkers signature_workers_;
  ring::SideWorkers file_workers_;
  bool draining_ = false;
  std::function<void()> drained_;
  ring::Timer drain_timer_;
  ring::Timer recheck_timer_;
};

}  // namespace reelway::edge
