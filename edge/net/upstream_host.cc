#include "edge/net/upstream_host.h"

#include <algorithm>
#include <utility>

#include "common/telemetry/log.h"

namespace reelway::edge {

UpstreamHost::UpstreamHost(ring::Ring& ring, ring::SideWorkers& workers, UpstreamUrl url,
                           const transport::TlsContext* tls, Lookup lookup)
    : workers_(workers),
      url_(std::move(url)),
      name_(url_.authority()),
      lookup_(std::move(lookup)),
      tls_(url_.tls ? std::make_unique<transport::TlsPeer>(*tls, url_.host) : nullptr),
      timer_(ring) {}

UpstreamHost::~UpstreamHost() {
  *alive_ = false;
}

Result<void> UpstreamHost::look_up() {
  auto found = lookup_(url_.host, url_.port);
  if (!found.ok()) return std::move(found).error();
  looked_up(std::move(found));
  return {};
}

void UpstreamHost::start() {
  if (stopped_) return;
  timer_.arm(addresses_.empty() ? kIntervalWithoutAddress : kInterval, [this] { look_up_beside(); });
}

void UpstreamHost::stop() {
  stopped_ = true;
  timer_.disarm();
}

void UpstreamHost::look_up_beside() {
  using Found = Result<std::vector<SocketAddress>>;
  const auto found = std::make_shared<Found>(std::vector<SocketAddress>{});
  const bool taken = workers_.submit([found, lookup = lookup_, url = url_] { *found = lookup(url.host, url.port); },
                                     [this, alive = alive_, found] {
                                       if (!*alive) return;
                                       looked_up(std::move(*found));
                                       start();
                                     });
  if (!taken) start();
}

void UpstreamHost::looked_up(Result<std::vector<SocketAddress>> found) {
  if (!found.ok()) {
    if (!std::exchange(failing_, true)) {
      telemetry::log_warn("upstream {}: {}; {} addresses are known from before", name_, describe(found.error()),
                          addresses_.size());
    }
    return;
  }
  failing_ = false;
  // Resolvers turn the order at each answer: that is no change.
  const bool same =
      found->size() == addresses_.size() && std::is_permutation(found->begin(), found->end(), addresses_.begin());
  if (same) return;
  addresses_ = std::move(found).value();
  ++revision_;
  for (const SocketAddress& address : addresses_) telemetry::log_info("upstream {} is at {}", name_, address.text());
}

}  // namespace reelway::edge
