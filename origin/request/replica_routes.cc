#include "origin/request/replica_routes.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/telemetry/log.h"
#include "origin/fleet/beat.h"

namespace reelway::origin {
namespace {

constexpr std::int64_t kShard = 0;  // the only one so far

Error client_error(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<void> check_shard(const QueryFields& query) {
  const auto shard = query.number("shard");
  if (!shard) return shard.error();
  if (*shard == kShard) return {};
  return client_error(ErrorCode::http_not_found, "there is no shard " + std::to_string(*shard));
}

Result<void> check_ready(const ReplicaServices& services) {
  if (services.mirror.ready()) return {};
  return Error{ErrorCode::replica_not_ready, Side::self, true,
               "the entitlements are being read from the control store"};
}

// Edges of before formats were numbered ask for none. What differs would be understood wrongly, or not at all.
Result<void> check_format(const QueryFields& query) {
  const auto format = query.optional_number("format");
  if (!format) return format.error();
  const std::int64_t asked = format->value_or(1);
  if (asked == rights::kStreamFormat) return {};
  const std::string detail = "the edge asks for format " + std::to_string(asked) +
                             " of the change stream, this origin speaks format " +
                             std::to_string(rights::kStreamFormat) + ": run the same version of both";
  telemetry::log_warn("an edge's replica is refused: {}", detail);
  return client_error(ErrorCode::http_bad_request, detail);
}

Response frames_response() {
  Response response;
  response.headers = {{"Content-Type", std::string(kReplicaContentType)}, {"Cache-Control", "no-store"}};
  return response;
}

Result<Response> serve_stream(const ReplicaServices& services, const QueryFields& query) {
  REELWAY_TRY(check_shard(query));
  REELWAY_TRY(check_format(query));
  const auto from = query.number("from");
  if (!from) return from.error();
  auto cluster = query.required("cluster");
  if (!cluster) return cluster.error();
  REELWAY_TRY(check_ready(services));
  Response response = frames_response();
  response.stream = std::make_shared<ChangeStream>(services.mirror, services.counters,
                                                   ChangeStream::Position{std::move(cluster).value(), *from});
  return response;
}

Result<Response> serve_snapshot(const ReplicaServices& services, const QueryFields& query) {
  REELWAY_TRY(check_shard(query));
  REELWAY_TRY(check_format(query));
  REELWAY_TRY(check_ready(services));
  Response response = frames_response();
  response.stream = std::make_shared<RecordsStream>(services.mirror, services.counters, RecordsStream::Buckets{});
  return response;
}

Result<Response> serve_buckets(const ReplicaServices& services, const QueryFields& query) {
  REELWAY_TRY(check_shard(query));
  REELWAY_TRY(check_ready(services));
  Response response = frames_response();
  response.text = std::make_shared<const std::string>(rights::encode_frame(services.mirror.buckets()));
  return response;
}

Result<Response> serve_bucket(const ReplicaServices& services, const QueryFields& query) {
  REELWAY_TRY(check_shard(query));
  const auto number = query.number("number");
  if (!number) return number.error();
  if (*number >= static_cast<std::int64_t>(rights::kBuckets)) {
    return client_error(ErrorCode::http_not_found, "there is no bucket " + std::to_string(*number));
  }
  REELWAY_TRY(check_ready(services));
  Response response = frames_response();
  response.stream = std::make_shared<RecordsStream>(services.mirror, services.counters,
                                                    RecordsStream::Buckets{static_cast<std::size_t>(*number), 1});
  return response;
}

// From the store itself, not the mirror: an edge asks when it has not heard of an entitlement that was just made.
Result<Response> serve_entitlement(const ReplicaServices& services, const QueryFields& query) {
  const auto text = query.required("id");
  if (!text) return text.error();
  const auto id = rights::parse_entitlement_id(*text);
  if (!id) return client_error(ErrorCode::http_bad_request, "query field \"id\": expected an entitlement's id");
  const std::string key = std::string(kEntitlementPrefix) + *text;
  const auto page = services.store.range(key, 1);
  if (!page) return page.error();
  rights::RecordsFrame frame;
  if (!page->entries.empty() && page->entries.front().key == key) {
    const KeyValue& entry = page->entries.front();
    const auto record = services.decode(entry);
    if (!record) return record.error();
    frame.records.push_back({*id, entry.mod_revision, *record});
  }
  Response response = frames_response();
  response.text = std::make_shared<const std::string>(
      rights::encode_frame(frame) + rights::encode_frame(rights::EndFrame{frame.records.size(), page->revision}));
  return response;
}

Result<Response> serve_heartbeat(const ReplicaServices& services, const QueryFields& query) {
  Heartbeat beat;
  for (const auto& [name, field] : {std::pair{"session", &Heartbeat::session},
                                    {"entitlement", &Heartbeat::entitlement},
                                    {"title", &Heartbeat::title}}) {
    auto value = query.required(name);
    if (!value) return value.error();
    beat.*field = std::move(value).value();
  }
  const auto position = query.optional_number("position_s");
  if (!position) return position.error();
  beat.position_s = *position;
  const auto ended = query.flag("ended");
  if (!ended) return ended.error();
  beat.ended = *ended;
  const auto answer = services.heartbeat(beat);
  if (!answer) return answer.error();
  return json_response(200, answer->dump());
}

constexpr std::array kRoutes = {
    ReplicaRoute{"/.reelway/v1/replica/stream", http::Method::get, MediaKind::replica_stream, false, serve_stream},
    ReplicaRoute{"/.reelway/v1/replica/snapshot", http::Method::get, MediaKind::replica_snapshot, false,
                 serve_snapshot},
    ReplicaRoute{"/.reelway/v1/replica/buckets", http::Method::get, MediaKind::replica_repair, false, serve_buckets},
    ReplicaRoute{"/.reelway/v1/replica/bucket", http::Method::get, MediaKind::replica_repair, false, serve_bucket},
    ReplicaRoute{"/.reelway/v1/entitlement", http::Method::get, MediaKind::entitlement, true, serve_entitlement},
    ReplicaRoute{"/.reelway/v1/heartbeat", http::Method::post, MediaKind::heartbeat, true, serve_heartbeat},
};

}  // namespace

const ReplicaRoute* find_replica_route(std::string_view path) {
  const auto found =
      std::find_if(kRoutes.begin(), kRoutes.end(), [path](const ReplicaRoute& route) { return route.path == path; });
  return found == kRoutes.end() ? nullptr : &*found;
}

}  // namespace reelway::origin
