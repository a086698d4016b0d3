#include "origin/request/api_routes.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {

Result<Reply> list_keys(const ApiServices& services, const ApiCall&) {
  if (services.keys.stale()) REELWAY_TRY(services.keys.refresh());
  const auto keys = services.keys.current();
  nlohmann::json list = nlohmann::json::array();
  for (const KeyRecord& key : keys->keys) {
    nlohmann::json value = {{"kid", key.kid},
                            {"state", key.retired ? "retired" : "active"},
                            {"signing", key.kid == keys->signing},
                            {"created_at", iso_time(key.created_at_ms)}};
    if (key.retired_at_ms) value["retired_at"] = iso_time(*key.retired_at_ms);
    list.push_back(std::move(value));
  }
  return Reply{200, {{"keys", std::move(list)}}};
}

Result<Reply> rotate_keys(const ApiServices& services, const ApiCall&) {
  const auto kid = services.keys.rotate();
  if (!kid) return kid.error();
  return Reply{200, {{"kid", *kid}}};
}

Result<Reply> retire_key(const ApiServices& services, const ApiCall& call) {
  const auto kid = parse_kid(call.parameters.at(0));
  if (!kid) {
    Error error;
    error.code = ErrorCode::key_not_found;
    error.side = Side::client;
    error.detail = "key " + call.parameters.at(0);
    return error;
  }
  REELWAY_TRY(services.keys.retire(*kid));
  return Reply{200, {{"kid", *kid}, {"state", "retired"}}};
}

}  // namespace reelway::origin
