#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/ring/ring.h"
#include "common/telemetry/metrics.h"
#include "edge/net/upstream.h"
#include "edge/net/upstream_health.h"
#include "edge/net/upstream_host.h"
#include "edge/net/upstream_pool.h"

namespace reelway::edge {

struct UpstreamGroupOptions {
  UpstreamOptions pool;  // of each address; `address`, `name` and `tls` are set by the group
  // Whether upstreams of one priority are asked in turn; else always the first that is in use, for calls that belong
  // together (a stream and what is asked because of it).
  bool in_turn = true;
  // Whether another upstream, if there is one to ask, is asked after a 502, 503 or 504.
  bool retry_gateway_errors = true;
  std::size_t waiting_max = 1024;  // calls that wait for a probe; one more fails with overloaded
  UpstreamHealthOptions health;
};

struct UpstreamGroupCounters {
  std::uint64_t retries = 0;           // calls given to another upstream after a failure
  std::uint64_t probes = 0;            // calls given to an upstream that rested
  std::uint64_t waits = 0;             // calls that waited for a probe
  std::uint64_t without_upstream = 0;  // calls that failed because none was left to ask
};

// What is told of one upstream of a group, over all its addresses.
struct UpstreamReport {
  std::string name;
  std::uint32_t priority = 0;
  std::size_t addresses = 0, in_use = 0;  // known, and of them neither resting nor being probed
  std::size_t connections = 0, idle_connections = 0;
  std::uint64_t calls = 0;                           // given to it, retries included
  std::uint64_t failures = 0;                        // without an answer, or cut
  std::uint64_t gateway_errors = 0;                  // 502, 503, 504
  const transport::TlsCounters* tls = nullptr;       // null for http; lives with the host, over all its groups
  const telemetry::Histogram* first_byte = nullptr;  // from the call's start to its answer's head; lives with the group
};

// Several upstreams that have the same things. A call goes to one of the smallest priority that is in use; when it
// fails before anything of an answer was used, and may be sent again (its request never left, or it is repeatable()),
// it goes to another one that it has not tried, twice at most. Each address of an upstream is judged by itself
// (upstream_health.h). When none is in use, the one whose rest ends first is asked by one call at a time, and the
// others wait for what becomes of it: nobody is refused on suspicion, and nobody hammers what is down.
//
// Used like a pool. One ring thread.
class UpstreamGroup final : public Upstream {
 public:
  static constexpr std::size_t kRetriesMax = 2;

  // The hosts outlive the group.
  UpstreamGroup(ring::Ring& ring, const Clock& clock, Random& random, UpstreamGroupOptions options,
                const std::vector<UpstreamHost*>& hosts);
  ~UpstreamGroup();

  void begin(UpstreamCall& call) override;
  // Fails all calls with shutting_down and closes all connections; then `closed` is called, once.
  void close(std::function<void()> closed);

  std::size_t connections() const;
  std::size_t idle_connections() const;
  std::size_t waiting() const;  // for a connection or for a probe
  UpstreamCounters pool_counters() const;
  const UpstreamGroupCounters& counters() const { return counters_; }
  std::vector<UpstreamReport> report() const;

 private:
  class Attempt;
  struct Peer;
  struct Member;

  void start(Attempt& attempt);
  bool start_elsewhere(Attempt& attempt);
  void give(Attempt& attempt, Peer& peer);
  Peer* admitted(const Attempt& attempt);
  Peer* first_to_wake();
  std::unique_ptr<Attempt> release(Attempt& attempt);
  void succeeded(Attempt& attempt);
  void failed(Attempt& attempt);
  void let_go(Attempt& attempt);
  bool is_probing() const;
  void probe_ended(const Error* error);
  void follow_names();
  void sweep();

  ring::Ring& ring_;
  const Clock& clock_;
  Random& random_;
  const UpstreamGroupOptions options_;
  UpstreamGroupCounters counters_;
  std::vector<std::unique_ptr<Member>> members_;  // by priority, then as configured
  std::unordered_map<const Attempt*, std::unique_ptr<Attempt>> attempts_;
  std::deque<Attempt*> waiting_;
  std::size_t turn_ = 0;
  bool some_gone_ = false;  // peers that are no addresses any more may be there
  bool closing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reelway::edge
