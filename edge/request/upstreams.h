#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "edge/net/upstream_group.h"
#include "edge/net/upstream_host.h"
#include "edge/request/options.h"

namespace reelway::edge {

class ContinuedFetches;
struct ContinuationCounters;

// The upstreams of one edge and the connections to them; those of a site are apart from those of films. Films, what
// keeps keys and rentals true, and heartbeats go to the same upstreams over connections of their own: what is small
// must not wait behind segments, nor what keeps the rentals true behind what viewers can ask for any number of times.
// One ring thread.
class Upstreams {
 public:
  // Blocks: looks up names. An upstream whose name cannot be looked up now is looked up again later; but a name that
  // does not exist is config_value_invalid, because it is misspelt more often than not.
  static Result<std::unique_ptr<Upstreams>> create(ring::Ring& ring, const Clock& clock, Random& random,
                                                   const EdgeConfig& config);

  ~Upstreams();

  void start();
  // Fails all calls and closes all connections; then `closed` is called.
  void close(std::function<void()> closed);

  Upstream& films();  // a body that breaks off is continued (net/continued_fetches.h)
  Upstream& control() { return control_; }
  Upstream& heartbeats() { return heartbeats_; }
  Upstream* site() { return site_.get(); }  // null without a site
  const ContinuationCounters& continuations() const;
  const UpstreamGroup& film_group() const { return films_; }
  const UpstreamGroup& control_group() const { return control_; }
  const UpstreamGroup& heartbeat_group() const { return heartbeats_; }
  const UpstreamGroup* site_group() const { return site_.get(); }

 private:
  using Hosts = std::vector<std::unique_ptr<UpstreamHost>>;
  Upstreams(ring::Ring& ring, const Clock& clock, Random& random, const EdgeConfig& config,
            std::unique_ptr<transport::TlsContext> tls);

  const std::unique_ptr<transport::TlsContext> tls_;  // null without https
  ring::SideWorkers name_workers_;
  Hosts film_hosts_;
  UpstreamGroup films_;
  std::unique_ptr<ContinuedFetches> continued_films_;
  UpstreamGroup control_;
  UpstreamGroup heartbeats_;
  Hosts site_hosts_;
  std::unique_ptr<UpstreamGroup> site_;
};

}  // namespace reelway::edge
