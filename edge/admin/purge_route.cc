#include "edge/admin/purge_route.h"

#include <array>
#include <nlohmann/json.hpp>

#include "edge/admin/explain.h"

namespace reelway::edge {
namespace {

struct Name {
  std::string_view text;
  PurgeRequest::Kind kind;
};
constexpr auto kNames = std::to_array<Name>(
    {{"url", PurgeRequest::Kind::url}, {"prefix", PurgeRequest::Kind::prefix}, {"tag", PurgeRequest::Kind::tag}});

std::string_view name_of(PurgeRequest::Kind kind) {
  for (const Name& name : kNames) {
    if (name.kind == kind) return name.text;
  }
  return {};
}

}  // namespace

Result<PurgeRequest> purge_request(std::string_view query) {
  const Error expected{ErrorCode::http_bad_request, Side::client, false,
                       "expected one of ?url=, ?prefix= and ?tag=, percent-encoded, and perhaps soft=1"};
  PurgeRequest request;
  std::size_t given = 0;
  for (const Name& name : kNames) {
    auto value = query_parameter(query, name.text);
    if (!value) continue;
    ++given;
    request.kind = name.kind;
    request.value = std::move(*value);
  }
  if (given != 1 || request.value.empty()) return expected;
  const auto soft = query_parameter(query, "soft");
  if (soft && *soft != "1" && *soft != "0") return expected;
  request.soft = soft == "1";
  return request;
}

std::string purge_json(std::string_view edge_id, const PurgeRequest& request, const PurgeResult& result) {
  const nlohmann::ordered_json answer{{"edge_id", edge_id},
                                      {"by", name_of(request.kind)},
                                      {"value", request.value},
                                      {"soft", request.soft},
                                      {"objects", result.objects},
                                      {"memory_objects", result.memory_objects},
                                      {"disk_objects", result.disk_objects},
                                      {"keys", result.keys},
                                      {"truncated", result.is_truncated}};
  // Keys hold what clients sent: bytes that are no UTF-8 must not throw.
  return answer.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace reelway::edge
