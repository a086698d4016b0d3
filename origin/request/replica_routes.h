#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "common/base/result.h"
#include "common/http/message.h"
#include "origin/fleet/change_stream.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/net/exchange.h"
#include "origin/request/metrics.h"
#include "origin/request/query_fields.h"
#include "origin/rights/sessions.h"
#include "origin/store/control_store.h"

// What edges' replicas ask of the media port: docs/formats/replica_stream.md.

namespace reelway::origin {

inline constexpr std::string_view kReplicaContentType = "application/vnd.reelway.replica";

// What these routes share. All of it outlives the requests.
struct ReplicaServices {
  ControlStore& store;
  RightsMirror& mirror;
  ReplicaCounters& counters;    // loop thread
  RightsMirror::Decode decode;  // thread-safe
  // On a worker; may block.
  std::function<Result<nlohmann::json>(const Heartbeat& beat)> heartbeat;
};

struct ReplicaRoute {
  std::string_view path;
  http::Method method;  // get stands for HEAD too
  MediaKind kind;
  bool on_worker;  // it may block; the others run on the loop
  Result<Response> (*serve)(const ReplicaServices& services, const QueryFields& query);
};

const ReplicaRoute* find_replica_route(std::string_view path);  // null: no such path

}  // namespace reelway::origin
