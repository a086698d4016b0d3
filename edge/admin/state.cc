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

Json members_json(const UpstreamGroup& group, const StateTotals& totals) {
  Json members = Json::array();
  const std::vector<UpstreamReport> report = group.report();
  for (std::size_t i = 0; i < report.size(); ++i) {
    members.push_back({{"name", report[i].name},
                       {"priority", report[i].priority},
                       {"addresses", report[i].addresses},
                       {"in_use", report[i].in_use},
                       {"connections", totals.members[i].connections},
                       {"calls", totals.members[i].calls},
                       {"failures", totals.members[i].failures},
                       {"gateway_errors", totals.members[i].gateway_errors}});
  }
  return members;
}

Json upstream_json(EdgeServer& first, const StateTotals& totals) {
  return {{"address", first.config().upstreams.front().authority()},
          {"members", members_json(first.upstreams().film_group(), totals)},
          {"connections", totals.upstream_connections},
          {"idle_connections", totals.upstream_idle},
          {"waiting", totals.upstream_waiting},
          {"fetches", totals.fills.fetches},
          {"fetched_bytes", totals.fills.fetched_bytes},
          {"fetch_failures", totals.fills.fetch_failures},
          {"fills_running", totals.fills_running}};
}

Json milliseconds_or_null(const std::optional<std::chrono::milliseconds>& time) {
  return time ? Json(time->count()) : Json(nullptr);
}

Json replica_json(EdgeServer& first, const RightsCounters& rights) {
  const ReplicaState state = first.replica().state();
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
          {"allowed", rights.allowed},
          {"denied", rights.denied},
          {"asks", rights.asks}};
}

}  // namespace

void StateTotals::add(EdgeServer& server) {
  if (store) {
    edge::add(*store, server.store().counters());
  } else {
    store = server.store().counters();
  }
  const RightsCounters& more_rights = server.origin().rights().counters();
  rights.allowed += more_rights.allowed;
  rights.denied += more_rights.denied;
  rights.asks += more_rights.asks;
  const FillCounters& more_fills = server.fills().counters();
  fills.fetches += more_fills.fetches;
  fills.fetched_bytes += more_fills.fetched_bytes;
  fills.fetch_failures += more_fills.fetch_failures;
  fills_running += server.fills().running();
  ++rings;
  connections += server.listener().connections();
  accepted += server.listener().counters().accepted;
  requests += server.listener().client_counters().requests;
  const UpstreamGroup& films = server.upstreams().film_group();
  upstream_connections += films.connections();
  upstream_idle += films.idle_connections();
  upstream_waiting += films.waiting();
  const std::vector<UpstreamReport> report = films.report();
  members.resize(report.size());
  for (std::size_t i = 0; i < report.size(); ++i) {
    members[i].connections += report[i].connections;
    members[i].calls += report[i].calls;
    members[i].failures += report[i].failures;
    members[i].gateway_errors += report[i].gateway_errors;
  }
}

std::string state_json(EdgeServer& first, const StateTotals& totals, const Clock& clock) {
  Json keys = Json::object();
  for (const auto& [kid, key] : first.tokens().keys().keys()) keys[std::to_string(kid)] = key_state_name(key.state);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock.monotonic() - first.started());
  const auto age = first.origin().keys().age();
  return Json{
      {"edge_id", first.config().edge_id},
      {"version", kVersion},
      {"rings", totals.rings},
      {"uptime_s", uptime.count()},
      {"draining", first.draining()},
      {"ready", first.ready()},
      {"keys", std::move(keys)},
      {"keys_age_s", age ? Json(static_cast<double>(age->count()) / 1000) : Json(nullptr)},
      {"connections",
       {{"open", totals.connections}, {"limit", first.config().connections_max}, {"accepted", totals.accepted}}},
      {"requests", totals.requests},
      {"replica", replica_json(first, totals.rights)},
      {"store", store_json(*totals.store)},
      {"upstream", upstream_json(first, totals)}}
      .dump();
}

}  // namespace reelway::edge
