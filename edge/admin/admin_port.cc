#include "edge/admin/admin_port.h"

#include <array>
#include <nlohmann/json.hpp>

#include "common/http/serialize.h"
#include "common/telemetry/log.h"
#include "edge/admin/credential.h"
#include "edge/admin/explain.h"
#include "edge/admin/metrics.h"
#include "edge/admin/purge_route.h"
#include "edge/admin/state.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kConnectionsMax = 64;

}  // namespace

// One operator's connection. Readiness and drain are answered at once, the others when all rings have been asked.
class AdminPort::AdminExchange final : public Exchange {
 public:
  AdminExchange(AdminPort& port, ResponseStream& stream) : port_(port), stream_(stream) {}
  ~AdminExchange() override { client_gone(); }

  void begin() override;
  void written() override { stream_.finish(keep_alive_); }
  void client_gone() override {
    if (explanation_) explanation_->cancel();
    explanation_.reset();
    purge_.reset();
    asked_.reset();
  }

 private:
  struct Route {
    http::Method method;
    std::string_view path;
    void (AdminExchange::*serve)();
  };
  static const std::array<Route, 6> kRoutes;

  void metrics();
  void state();
  void ready();
  void drain();
  void explain();
  void purge();
  // Goes from ring to ring and comes back; not to an asker that has left.
  template <class Gathered>
  void gather(std::function<void(Gathered&, EdgeServer&)> at_ring, std::function<void(Gathered&)> done);
  void purged(const PurgeRequest& request, const Result<PurgeResult>& outcome);
  void answer(std::uint16_t status, std::string_view content_type, std::string body);
  void refuse(const Error& error, std::string_view lines = {});

  AdminPort& port_;
  ResponseStream& stream_;
  bool keep_alive_ = false;
  std::shared_ptr<Explanation> explanation_;
  std::shared_ptr<const void> asked_;    // what the rings are asked for now
  std::shared_ptr<PurgeRequest> purge_;  // that is answered when it is durable; null once the asker has left
};

const std::array<AdminPort::AdminExchange::Route, 6> AdminPort::AdminExchange::kRoutes = {{
    {http::Method::get, "/metrics", &AdminExchange::metrics},
    {http::Method::get, "/v1/state", &AdminExchange::state},
    {http::Method::get, "/v1/ready", &AdminExchange::ready},
    {http::Method::get, "/v1/explain", &AdminExchange::explain},
    {http::Method::post, "/v1/drain", &AdminExchange::drain},
    {http::Method::post, "/v1/purge", &AdminExchange::purge},
}};

void AdminPort::AdminExchange::begin() {
  const http::RequestHead& head = stream_.request();
  keep_alive_ = stream_.may_keep_alive();
  const auto allowed =
      check_credential(head.headers.find("Authorization"), port_.rings_.first().config().admin_credential);
  if (!allowed.ok()) return refuse(allowed.error());
  for (const Route& route : kRoutes) {
    if (route.path != head.path()) continue;
    if (route.method == head.method) return (this->*route.serve)();
    return refuse({ErrorCode::http_method_not_allowed, Side::client, false, std::string(head.method_text)},
                  route.method == http::Method::get ? "Allow: GET\r\n" : "Allow: POST\r\n");
  }
  refuse({ErrorCode::http_not_found, Side::client, false,
          "the admin port serves /metrics, /v1/state, /v1/ready, /v1/explain, /v1/purge and /v1/drain"});
}

template <class Gathered>
void AdminPort::AdminExchange::gather(std::function<void(Gathered&, EdgeServer&)> at_ring,
                                      std::function<void(Gathered&)> done) {
  const auto gathered = std::make_shared<Gathered>();
  const std::weak_ptr<const void> asked = asked_ = std::make_shared<bool>();
  port_.rings_.visit([gathered, at_ring = std::move(at_ring)](EdgeServer& server) { at_ring(*gathered, server); },
                     [gathered, asked, done = std::move(done)] {
                       if (!asked.expired()) done(*gathered);
                     });
}

void AdminPort::AdminExchange::metrics() {
  gather<GatheredMetrics>([](GatheredMetrics& gathered, EdgeServer& server) { gather_metrics(gathered, server); },
                          [this](GatheredMetrics& gathered) {
                            answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics_page(gathered));
                          });
}

void AdminPort::AdminExchange::state() {
  gather<StateTotals>([](StateTotals& totals, EdgeServer& server) { totals.add(server); },
                      [this](const StateTotals& totals) {
                        answer(200, "application/json", state_json(port_.rings_.first(), totals, port_.clock_));
                      });
}

void AdminPort::AdminExchange::ready() {
  const bool is_ready = port_.rings_.first().ready();
  nlohmann::json body{{"ready", is_ready}};
  if (!is_ready) body["because"] = port_.rings_.first().why_not_ready();
  answer(is_ready ? 200 : 503, "application/json", body.dump());
}

void AdminPort::AdminExchange::drain() {
  keep_alive_ = false;
  answer(202, "application/json", R"({"draining":true})");
  port_.begin_drain_();
}

void AdminPort::AdminExchange::explain() {
  auto target = query_parameter(stream_.request().query(), "target");
  if (!target) {
    return refuse({ErrorCode::http_bad_request, Side::client, false,
                   "expected ?target= with a public path or URL, percent-encoded"});
  }
  explanation_ = std::make_shared<Explanation>(port_.rings_.first(), port_.clock_, std::move(*target),
                                               [this](std::string json) { answer(200, "application/json", json); });
  explanation_->start();
}

// POST /v1/purge?url=...|prefix=...|tag=...[&soft=1]. In effect for viewers before anything is awaited; answered when
// it is on disk. It goes on when the asker leaves.
void AdminPort::AdminExchange::purge() {
  const auto request = purge_request(stream_.request().query());
  if (!request.ok()) return refuse(request.error());
  purge_ = std::make_shared<PurgeRequest>(*request);
  const std::weak_ptr<PurgeRequest> asked = purge_;
  port_.rings_.purge(*request, [this, asked](const Result<PurgeResult>& outcome) {
    if (const auto still = asked.lock()) purged(*still, outcome);
  });
}

void AdminPort::AdminExchange::purged(const PurgeRequest& request, const Result<PurgeResult>& outcome) {
  const std::string body =
      outcome.ok() ? purge_json(port_.rings_.first().config().edge_id, request, *outcome) : std::string{};
  purge_.reset();
  outcome.ok() ? answer(200, "application/json", body) : refuse(outcome.error());
}

void AdminPort::AdminExchange::answer(std::uint16_t status, std::string_view content_type, std::string body) {
  http::ResponseBuilder head(status);
  head.header("Content-Type", content_type).header("Content-Length", body.size()).header("Cache-Control", "no-store");
  if (!keep_alive_) head.header("Connection", "close");
  stream_.write({.head = head.finish().append(body), .body = {}, .tail = {}, .owner = nullptr});
}

void AdminPort::AdminExchange::refuse(const Error& error, std::string_view lines) {
  const bool head_only = stream_.request().method == http::Method::head;
  std::string text = http::error_response(error, keep_alive_, head_only, lines);
  stream_.write({.head = std::move(text), .body = {}, .tail = {}, .owner = nullptr});
}

Result<std::unique_ptr<AdminPort>> AdminPort::open(ring::Ring& ring, const Clock& clock, EdgeRings& rings,
                                                   std::function<void()> begin_drain) {
  const config::Endpoint& endpoint = rings.first().config().admin_listen;
  auto address = resolve(endpoint.host, endpoint.port);
  if (!address.ok()) return std::move(address).error();
  std::unique_ptr<AdminPort> port(new AdminPort(ring, clock, rings, std::move(begin_drain)));
  ListenerOptions options;
  options.connections_max = kConnectionsMax;
  auto listener = Listener::open(ring, clock, *address, options, *port);
  if (!listener.ok()) {
    Error error = std::move(listener).error();
    error.detail = "admin.listen " + endpoint.host + ":" + std::to_string(endpoint.port) + ": " + error.detail;
    return error;
  }
  port->listener_ = std::move(listener).value();
  return port;
}

AdminPort::AdminPort(ring::Ring& ring, const Clock& clock, EdgeRings& rings, std::function<void()> begin_drain)
    : ring_(ring), clock_(clock), rings_(rings), begin_drain_(std::move(begin_drain)) {}

std::unique_ptr<Exchange> AdminPort::make_exchange(ResponseStream& stream) {
  return std::make_unique<AdminExchange>(*this, stream);
}

void AdminPort::close(std::function<void()> closed) {
  listener_->drain(std::move(closed));
  listener_->close_all();
}

}  // namespace reelway::edge
