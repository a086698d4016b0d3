#include "edge/admin/state.h"

#include <nlohmann/json.hpp>

#include "common/base/version.h"

namespace reelway::edge {
namespace {

using Json = nlohmann::json;

Json store_json(const StoreCounters& store) {
  return {{"memory",
           {{"bytes", store.memory_bytes},
            {"objects", store.memory_objects},
            {"hits", store.memory_hits},
            {"evictions", store.memory_evictions}}},
          {"disk",
           {{"bytes", store.disk_bytes},
            {"objects", store.disk_objects},
            {"in_service", store.disks_in_service},
            {"out", store.disks_out},
            {"loading", store.disks_loading},
            {"objects_lost", store.disk_objects_lost},
            {"hits", store.disk_hits},
            {"evictions", store.disk_evictions},
            {"writes", store.disk_writes},
            {"write_errors", store.disk_write_errors},
            {"writes_shed", store.disk_writes_shed},
            {"corrupt", store.disk_corrupt}}},
          {"misses", store.misses},
          {"follows", store.follows},
          {"fills",
           {{"completed", store.fills_completed}, {"failed", store.fills_failed}, {"refused", store.fills_refused}}}};
}

Json members_json(const UpstreamGroup& group) {
  Json members = Json::array();
  for (const UpstreamReport& one : group.report()) {
    members.push_back({{"name", one.name},
                       {"priority", one.priority},
                       {"addresses", one.addresses},
                       {"in_use", one.in_use},
                       {"connections", one.connections},
                       {"calls", one.calls},
                       {"failures", one.failures},
                       {"gateway_errors", one.gateway_errors}});
  }
  return members;
}

Json upstream_json(EdgeServer& server) {
  const UpstreamGroup& pool = server.upstreams().film_group();
  const FillCounters& fills = server.fills().counters();
  return {{"address", server.config().upstreams.front().authority()},
          {"members", members_json(pool)},
          {"connections", pool.connections()},
          {"idle_connections", pool.idle_connections()},
          {"waiting", pool.waiting()},
          {"fetches", fills.fetches},
          {"fetched_bytes", fills.fetched_bytes},
          {"fetch_failures", fills.fetch_failures},
          {"fills_running", server.fills().running()}};
}

Json milliseconds_or_null(const std::optional<std::chrono::milliseconds>& time) {
  return time ? Json(time->count()) : Json(nullptr);
}

Json replica_json(EdgeServer& server) {
  const ReplicaState state = server.replica().state();
  return {{"phase", state.phase},
          {"cluster", state.cluster},
          {"shard", state.shard},
          {"revision", state.revision},
          {"records", state.records},
          {"root", state.root},
          {"staleness_ms", milliseconds_or_null(state.staleness)},
          {"clock_offset_ms", milliseconds_or_null(state.clock_offset)},
          {"changes", state.client.changes},
          {"changes_skipped", state.client.changes_skipped},
          {"beats_matched", state.client.beats_matched},
          {"snapshots", state.client.snapshots},
          {"repairs", state.client.repairs},
          {"gaps", state.client.gaps},
          {"mismatches", state.client.mismatches},
          {"reconnects", state.client.reconnects},
          {"malformed", state.client.malformed},
          {"set_aside", state.writer.set_aside},
          {"allowed", state.rights.allowed},
          {"denied", state.rights.denied},
          {"asks", state.rights.asks}};
}

}  // namespace

std::string state_json(EdgeServer& server, const Clock& clock) {
  Json keys = Json::object();
  for (const auto& [kid, key] : server.tokens().keys().keys()) keys[std::to_string(kid)] = key_state_name(key.state);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock.monotonic() - server.started());
  const auto age = server.keys().age();
  return Json{{"edge_id", server.config().edge_id},
              {"version", kVersion},
              {"uptime_s", uptime.count()},
              {"draining", server.draining()},
              {"ready", server.ready()},
              {"keys", std::move(keys)},
              {"keys_age_s", age ? Json(static_cast<double>(age->count()) / 1000) : Json(nullptr)},
              {"connections",
               {{"open", server.listener().connections()},
                {"limit", server.config().connections_max},
                {"accepted", server.listener().counters().accepted}}},
              {"requests", server.listener().client_counters().requests},
              {"replica", replica_json(server)},
              {"store", store_json(server.store().counters())},
              {"upstream", upstream_json(server)}}
      .dump();
}

}  // namespace reelway::edge
