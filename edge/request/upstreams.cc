#include "edge/request/upstreams.h"

#include <algorithm>
#include <utility>

#include "common/telemetry/log.h"
#include "edge/net/continued_fetches.h"
#include "edge/request/relay.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kControlConnections = 8;
constexpr std::size_t kRelayConnections = 8;
constexpr std::chrono::milliseconds kControlSilenceMax{5'000};
constexpr std::size_t kNameLookupsMax = 64;
// Of a film's object within upstream.idle_timeout.
constexpr std::uint64_t kProgressBytesMin = 1024;

UpstreamGroupOptions film_options(const EdgeConfig& config) {
  UpstreamGroupOptions options;
  options.pool.connections_max = config.upstream_connections_max;
  options.pool.timeouts = {config.upstream_connect_timeout, config.upstream_first_byte_timeout,
                           config.upstream_idle_timeout, kProgressBytesMin};
  return options;
}

// What belongs to one stream of changes goes to one origin while that is in use, and its refusals are for the caller.
UpstreamGroupOptions control_options(const EdgeConfig& config) {
  UpstreamGroupOptions options = film_options(config);
  options.in_turn = false;
  options.retry_gateway_errors = false;
  options.pool.connections_max = kControlConnections;
  // The origin beats each second on the change stream: a silence this long is a dead connection. Not what is configured
  // for films, which may be less than a beat.
  options.pool.timeouts.first_byte = kControlSilenceMax;
  options.pool.timeouts.idle = kControlSilenceMax;
  options.pool.timeouts.progress_bytes_min = 0;
  return options;
}

UpstreamGroupOptions heartbeat_options(const EdgeConfig& config) {
  UpstreamGroupOptions options = film_options(config);
  options.in_turn = false;
  options.retry_gateway_errors = false;
  options.pool.connections_max = kRelayConnections;
  options.pool.waiting_max = Relay::kCallsMax;
  options.waiting_max = Relay::kCallsMax;
  return options;
}

// A site may answer with streams of events.
UpstreamGroupOptions site_options(const EdgeConfig& config) {
  UpstreamGroupOptions options = film_options(config);
  options.pool.timeouts.progress_bytes_min = 0;
  return options;
}

bool any_tls(const std::vector<UpstreamUrl>& urls) {
  return std::any_of(urls.begin(), urls.end(), [](const UpstreamUrl& url) { return url.tls; });
}

// Blocks.
Result<void> look_up_all(const std::vector<std::unique_ptr<UpstreamHost>>& hosts) {
  for (const auto& host : hosts) {
    auto found = host->look_up();
    if (found.ok()) continue;
    if (!found.error().retry) return std::move(found).error();
    telemetry::log_warn("{}; it is looked up again", describe(found.error()));
  }
  return {};
}

std::vector<std::unique_ptr<UpstreamHost>> hosts_of(ring::Ring& ring, ring::SideWorkers& workers,
                                                    const std::vector<UpstreamUrl>& urls,
                                                    const transport::TlsContext* tls) {
  std::vector<std::unique_ptr<UpstreamHost>> hosts;
  for (const UpstreamUrl& url : urls) hosts.push_back(std::make_unique<UpstreamHost>(ring, workers, url, tls));
  return hosts;
}

std::vector<UpstreamHost*> pointers(const std::vector<std::unique_ptr<UpstreamHost>>& hosts) {
  std::vector<UpstreamHost*> all;
  for (const auto& host : hosts) all.push_back(host.get());
  return all;
}

}  // namespace

Upstreams::Upstreams(ring::Ring& ring, const Clock& clock, Random& random, const EdgeConfig& config,
                     std::unique_ptr<transport::TlsContext> tls)
    : tls_(std::move(tls)),
      name_workers_(ring, 1, kNameLookupsMax, "edge-names"),
      film_hosts_(hosts_of(ring, name_workers_, config.upstreams, tls_.get())),
      films_(ring, clock, random, film_options(config), pointers(film_hosts_)),
      continued_films_(std::make_unique<ContinuedFetches>(films_)),
      control_(ring, clock, random, control_options(config), pointers(film_hosts_)),
      heartbeats_(ring, clock, random, heartbeat_options(config), pointers(film_hosts_)),
      site_hosts_(hosts_of(ring, name_workers_, config.site_upstreams, tls_.get())) {
  if (site_hosts_.empty()) return;
  site_ = std::make_unique<UpstreamGroup>(ring, clock, random, site_options(config), pointers(site_hosts_));
}

Result<std::unique_ptr<Upstreams>> Upstreams::create(ring::Ring& ring, const Clock& clock, Random& random,
                                                     const EdgeConfig& config) {
  std::unique_ptr<transport::TlsContext> tls;
  if (any_tls(config.upstreams) || any_tls(config.site_upstreams)) {
    auto context = transport::TlsContext::create(config.upstream_ca_file);
    if (!context.ok()) return std::move(context).error();
    tls = std::move(context).value();
  }
  std::unique_ptr<Upstreams> made(new Upstreams(ring, clock, random, config, std::move(tls)));
  REELWAY_TRY(look_up_all(made->film_hosts_));
  REELWAY_TRY(look_up_all(made->site_hosts_));
  return made;
}

Upstreams::~Upstreams() = default;

Upstream& Upstreams::films() {
  return *continued_films_;
}

const ContinuationCounters& Upstreams::continuations() const {
  return continued_films_->counters();
}

void Upstreams::start() {
  for (const auto& host : film_hosts_) host->start();
  for (const auto& host : site_hosts_) host->start();
}

void Upstreams::close(std::function<void()> closed) {
  for (const auto& host : film_hosts_) host->stop();
  for (const auto& host : site_hosts_) host->stop();
  const auto close_site = [this, closed = std::move(closed)] { site_ ? site_->close(closed) : closed(); };
  heartbeats_.close([this, close_site] { control_.close([this, close_site] { films_.close(close_site); }); });
}

}  // namespace reelway::edge
