#include "edge/request/edge_server.h"

#include <utility>

#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

// One thread checks about eight thousand signatures a second; more than this waiting would be too late anyway.
constexpr std::size_t kSideThreads = 1;
constexpr std::size_t kSideQueueMax = 2048;

// Of the drain's time, what is kept for the store's flush after the answers have been cut.
constexpr std::chrono::milliseconds kFlushTime{3'000};

std::string endpoint_text(const config::Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

StoreOptions store_options(const EdgeConfig& config) {
  StoreOptions options;
  options.directory = config.store_directory;
  options.memory_bytes = config.store_memory_bytes;
  options.disk_bytes = config.store_disk_bytes;
  options.object_bytes_max = config.store_object_bytes_max;
  return options;
}

UpstreamOptions upstream_options(const EdgeConfig& config, const SocketAddress& address, std::string name) {
  UpstreamOptions options;
  options.address = address;
  options.name = std::move(name);
  options.connections_max = config.upstream_connections_max;
  options.timeouts = {config.upstream_connect_timeout, config.upstream_first_byte_timeout,
                      config.upstream_idle_timeout};
  return options;
}

KeyPollerOptions poller_options(const EdgeConfig& config, const Fills& fills) {
  KeyPollerOptions options;
  options.request_text = fills.request_text("/.reelway/v1/keys");
  options.interval = config.keys_poll_interval;
  options.interval_min = std::min(options.interval_min, config.keys_poll_interval);
  options.file = config.store_directory + "/keys.json";
  return options;
}

ListenerOptions listener_options(const EdgeConfig& config) {
  ListenerOptions options;
  options.connections_max = config.connections_max;
  options.client.idle_timeout = config.idle_timeout;
  options.client.header_timeout = config.header_timeout;
  return options;
}

}  // namespace

Result<std::unique_ptr<EdgeServer>> EdgeServer::create(ring::Ring& ring, const Clock& clock, EdgeConfig config) {
  Opened opened;
  auto upstream = resolve(config.upstream.host, config.upstream.port);
  if (!upstream.ok()) return std::move(upstream).error();
  opened.upstream = *upstream;
  auto address = resolve(config.public_listen.host, config.public_listen.port);
  if (!address.ok()) return std::move(address).error();
  if (!config.access_log.empty()) {
    auto log = AccessLog::open(ring, config.access_log);
    if (!log.ok()) return std::move(log).error();
    opened.access_log = std::move(log).value();
  }
  auto store = Store::open(ring, clock, store_options(config));
  if (!store.ok()) return std::move(store).error();
  opened.store = std::move(store).value();
  std::unique_ptr<EdgeServer> server(new EdgeServer(ring, clock, std::move(config), std::move(opened)));
  auto listener = Listener::open(ring, clock, *address, listener_options(server->config_), *server);
  if (!listener.ok()) {
    Error error = std::move(listener).error();
    error.detail = "public.listen " + endpoint_text(server->config_.public_listen) + ": " + error.detail;
    return error;
  }
  server->listener_ = std::move(listener).value();
  return server;
}

EdgeServer::EdgeServer(ring::Ring& ring, const Clock& clock, EdgeConfig config, Opened opened)
    : ring_(ring),
      clock_(clock),
      config_(std::move(config)),
      upstream_name_(endpoint_text(config_.upstream)),
      started_(clock.monotonic()),
      access_log_(std::move(opened.access_log)),
      store_(std::move(opened.store)),
      cors_(config_.cors_origins),
      pool_(ring, clock, upstream_options(config_, opened.upstream, upstream_name_)),
      fills_(*store_, pool_, clock, upstream_name_, config_.edge_id, config_.upstream_secret),
      tokens_(ring, clock, workers_, {}, [this] { return poller_.poll_soon(); }),
      poller_(ring, clock, workers_, pool_, poller_options(config_, fills_), *this),
      services_{clock_, config_.edge_id, cors_, tokens_, *store_, fills_, counters_, access_log_.get()},
      workers_(ring, kSideThreads, kSideQueueMax, "edge-side"),
      drain_timer_(ring) {}

EdgeServer::~EdgeServer() = default;

std::unique_ptr<Exchange> EdgeServer::make_exchange(ResponseStream& stream) {
  return std::make_unique<Request>(services_, stream);
}

void EdgeServer::start() {
  poller_.start();
  listener_->start();
}

void EdgeServer::drain(std::function<void()> drained) {
  if (std::exchange(draining_, true)) return;
  drained_ = std::move(drained);
  telemetry::log_info("draining: {} connections, {} ms at most", listener_->connections(),
                      config_.drain_timeout.count());
  const auto half = config_.drain_timeout / 2;
  const auto answers_time = config_.drain_timeout - std::min<std::chrono::milliseconds>(half, kFlushTime);
  drain_timer_.arm(answers_time, [this] {
    telemetry::log_warn("draining: cutting {} connections whose answers did not finish in time",
                        listener_->connections());
    listener_->close_all();
  });
  listener_->drain([this] { answers_drained(); });
}

void EdgeServer::answers_drained() {
  drain_timer_.disarm();
  poller_.stop();
  pool_.close([this] { store_->close([this] { std::exchange(drained_, nullptr)(); }); });
}

}  // namespace reelway::edge
