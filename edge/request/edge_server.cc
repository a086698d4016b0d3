#include "edge/request/edge_server.h"

#include <utility>

#include "common/base/version.h"
#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

// How long an answer may go on after its rental has ended, but for what the kernel has of it.
constexpr std::chrono::milliseconds kRecheckPeriod{1'000};
// The thread checks about eight thousand signatures a second; more than this waiting would be too late anyway.
constexpr std::size_t kChecksMax = 2048;
constexpr std::size_t kFileJobsMax = 16;

// Of the drain's time, what is kept for the store's flush after the answers have been cut.
constexpr std::chrono::milliseconds kFlushTime{3'000};

std::string endpoint_text(const config::Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

StoreOptions store_options(const EdgeConfig& config) {
  StoreOptions options;
  options.directory = config.store_bodies_directory.empty() ? config.store_directory : config.store_bodies_directory;
  options.memory_bytes = config.store_memory_bytes;
  options.disk_bytes = config.store_disk_bytes;
  options.further_disks = config.store_further_disks;
  options.index_memory_bytes = config.store_index_memory_bytes;
  options.object_bytes_max = config.store_object_bytes_max;
  return options;
}

// An address's budget is that of the edge, to whichever rings its connections come.
TokenAuthorityOptions token_options(const EdgeConfig& config, const RingSeat& seat) {
  TokenAuthorityOptions options;
  if (seat.rings() > 1) {
    options.met_bad_signature = [seat](const ClientAddress& address) {
      seat.tell_others([address](EdgeServer& other) { other.tokens().charge(address); });
    };
  }
  options.failures.burst = config.token_failures_burst;
  options.failures.per_second = config.token_failures_per_minute / 60.0;
  return options;
}

ListenerOptions listener_options(const EdgeConfig& config, const EdgeServer::Place& place) {
  ListenerOptions options;
  options.shared_count = place.shared_connections;
  options.is_first = place.seat.is_first();
  options.connections_max = config.connections_max;
  options.client.idle_timeout = config.idle_timeout;
  options.client.header_timeout = config.header_timeout;
  if (!config.site_upstreams.empty()) {
    options.client.keep_content = true;
    options.client.message.body_bytes_max =
        std::max(options.client.message.body_bytes_max, config.site_content_bytes_max);
  }
  return options;
}

// The store works from its opening on, so a start that fails after it closes it as a drain does.
Error after_closing(Store& store, ring::Ring& ring, Error error) {
  store.close([&ring] { ring.stop(); });
  ring.run();
  ring.abandon();
  return error;
}

}  // namespace

Result<std::unique_ptr<EdgeServer>> EdgeServer::create(ring::Ring& ring, const Clock& clock, EdgeConfig config,
                                                       const Place& place) {
  Opened opened;
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
  opened.random = std::make_unique<SystemRandom>();
  auto upstreams = Upstreams::create(ring, clock, *opened.random, config);
  if (!upstreams.ok()) return after_closing(*opened.store, ring, std::move(upstreams).error());
  opened.upstreams = std::move(upstreams).value();
  auto origin = OriginTies::open(ring, clock, *opened.random, config, place.seat);
  if (!origin.ok()) return after_closing(*opened.store, ring, std::move(origin).error());
  opened.origin = std::move(origin).value();
  std::unique_ptr<EdgeServer> server(new EdgeServer(ring, clock, std::move(config), place, std::move(opened)));
  auto listener = Listener::open(ring, clock, *address, listener_options(server->config_, place), *server);
  if (!listener.ok()) {
    Error error = std::move(listener).error();
    error.detail = "public.listen " + endpoint_text(server->config_.public_listen) + ": " + error.detail;
    return after_closing(*server->store_, ring, std::move(error));
  }
  server->listener_ = std::move(listener).value();
  return server;
}

EdgeServer::EdgeServer(ring::Ring& ring, const Clock& clock, EdgeConfig config, const Place& place, Opened opened)
    : ring_(ring),
      clock_(clock),
      seat_(place.seat),
      config_(std::move(config)),
      upstream_name_(config_.upstreams.front().authority()),
      started_(clock.monotonic()),
      access_log_(std::move(opened.access_log)),
      store_(std::move(opened.store)),
      random_(std::move(opened.random)),
      origin_(std::move(opened.origin)),
      cors_(config_.cors_origins),
      upstreams_(std::move(opened.upstreams)),
      fills_(*store_, upstreams_->films(), clock, upstream_name_, config_.edge_id, config_.upstream_secret),
      site_(upstreams_->site() == nullptr ? nullptr : std::make_unique<Site>(make_site())),
      prefetch_(
          *store_, fills_, {config_.prefetch_segments, config_.prefetch_running_max},
          [this] { return upstream_has_room(); },
          [this](std::string_view key, const std::function<void(Prefetch&)>& task) {
            seat_.at_home_of(key, *this, [task](EdgeServer& home) {
              if (!home.draining_) task(home.prefetch_);
            });
          }),
      relay_(upstreams_->heartbeats()),
      tokens_(ring, origin_->clock(), signature_workers_, token_options(config_, seat_),
              [this] { return origin_->poll_keys(); }),
      services_{seat_,     clock_, config_.edge_id, cors_,     tokens_,           *store_,    fills_, origin_->rights(),
                prefetch_, relay_, running_,        counters_, access_log_.get(), site_.get()},
      handed_(ring, services_),
      signature_workers_(ring, 1, kChecksMax, "edge-tokens"),
      file_workers_(ring, 1, kFileJobsMax, "edge-files"),
      drain_timer_(ring),
      recheck_timer_(ring) {
  origin_->attach({tokens_, upstreams_->control(), file_workers_,
                   [this](std::string_view method, std::string_view path) { return fills_.request_text(path, method); },
                   [this] { return keys_request(); }});
}

EdgeServer::~EdgeServer() = default;

std::unique_ptr<Exchange> EdgeServer::make_exchange(ResponseStream& stream) {
  return std::make_unique<Request>(services_, stream);
}

Site EdgeServer::make_site() {
  const auto bridged = std::chrono::duration_cast<std::chrono::seconds>(config_.site_stale_when_unreachable);
  return {.store = *store_,
          .fills = fills_,
          .pool = *upstreams_->site(),
          .clock = clock_,
          .edge_id = config_.edge_id,
          .upstream_name = config_.site_upstreams.front().authority(),
          .stale_when_unreachable = bridged,
          .slicing = slice_limits(config_.site_slice_bytes, config_.store_memory_bytes, store_->kept_bytes_max()),
          .uncacheable = UncacheableKeys(clock_, Site::kUncacheableKept),
          .unsliceable = UncacheableKeys(clock_, Site::kUnsliceableKept),
          .changed_lately = UncacheableKeys(clock_, Site::kChangeKept),
          .erase = [this](const std::string& key) {
            seat_.at_home_of(key, *this, [key](EdgeServer& home) {
              if (!home.is_closing_) home.store_->erase(key);
            });
          }};
}

void EdgeServer::start() {
  upstreams_->start();
  origin_->start();
  recheck_rentals();
  listener_->start();
}

std::string_view EdgeServer::why_not_ready() const {
  if (draining_) return "the edge drains";
  if (tokens_.keys().empty()) return "no keys are known yet";
  if (!origin_->replica().ready()) return "there is no copy of the rentals, or one that is too old";
  return {};
}

// With each poll of the keys the origin learns how this edge stands.
std::string EdgeServer::keys_request() const {
  std::string state =
      "Reelway-Edge-State: version=\"" + std::string(kVersion) + "\"; draining=" + (draining_ ? "1" : "0");
  if (!config_.public_url.empty()) state += "; url=\"" + config_.public_url + "\"";
  if (const std::string parts = origin_->replica().edge_state_header_parts(); !parts.empty()) state += "; " + parts;
  return fills_.request_text("/.reelway/v1/keys", "GET", state + "\r\n");
}

// For what nobody waits for: half of the connections stay free for what somebody does.
bool EdgeServer::upstream_has_room() const {
  const UpstreamGroup& films = upstreams_->film_group();
  const std::size_t busy = films.connections() - films.idle_connections();
  return films.waiting() == 0 && 2 * busy < config_.upstream_connections_max;
}

void EdgeServer::recheck_rentals() {
  running_.recheck_all();
  recheck_timer_.arm(kRecheckPeriod, [this] { recheck_rentals(); });
}

void EdgeServer::probe(const std::string& home_key, const std::string& key,
                       std::function<void(std::optional<Store::Probe>)> done) {
  if (seat_.is_home_of(home_key)) return store_->probe(key, std::move(done));
  seat_.team->post(seat_.team->home_of(home_key), [key, back = seat_, done = std::move(done)](EdgeServer& home) {
    home.store_->probe(key, [back, done](const std::optional<Store::Probe>& probe) {
      back.team->post(back.index, [done, probe](EdgeServer&) { done(probe); });
    });
  });
}

void EdgeServer::drain(std::function<void()> drained) {
  if (draining_) return;
  finish_answers([this, drained = std::move(drained)] { close(drained); });
}

void EdgeServer::finish_answers(std::function<void()> finished) {
  if (std::exchange(draining_, true)) return;
  telemetry::log_info("draining: {} connections, {} ms at most", listener_->connections(),
                      config_.drain_timeout.count());
  const auto half = config_.drain_timeout / 2;
  const auto answers_time = config_.drain_timeout - std::min<std::chrono::milliseconds>(half, kFlushTime);
  drain_timer_.arm(answers_time, [this] {
    telemetry::log_warn("draining: cutting {} connections whose answers did not finish in time",
                        listener_->connections());
    listener_->close_all();
  });
  listener_->drain([this, finished = std::move(finished)] {
    drain_timer_.disarm();
    recheck_timer_.disarm();
    finished();
  });
}

void EdgeServer::close(std::function<void()> closed) {
  is_closing_ = true;
  origin_->stop([this, closed = std::move(closed)] { upstreams_->close([this, closed] { store_->close(closed); }); });
}

}  // namespace reelway::edge
