#include "origin/fleet/play_url.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

Error bad_edge(const std::string& text) {
  Error error;
  error.code = ErrorCode::http_bad_request;
  error.side = Side::client;
  error.detail = "field \"edge\": expected http://host:port, found: " + text;
  return error;
}

nlohmann::json play_url_json(const PlayUrl& play_url, const PlayUrlRequest& request) {
  return {// Without a known edge the path alone still says what to ask of any edge.
          {"url", play_url.urls.empty() ? play_url.path : play_url.urls.front()},
          {"urls", play_url.urls},
          {"token", play_url.token},
          {"title", request.title},
          {"version", request.version},
          {"kid", play_url.kid},
          {"not_before", iso_time(play_url.not_before_s * 1000)},
          {"expires_at", iso_time(play_url.expires_s * 1000)}};
}

}  // namespace

Result<Reply> create_play_url(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  PlayUrlRequest request;
  request.title = fields.text("title");
  request.lifetime_s = fields.optional_integer("ttl_s").value_or(services.config.token_lifetime.count());
  request.not_before_s = fields.optional_integer("not_before_s");
  const auto edge = fields.optional_text("edge");
  REELWAY_TRY(fields.finish());
  request.edges = services.config.public_edges;
  if (edge) {
    auto base = edge_base_url(*edge);
    if (!base) return bad_edge(*edge);
    request.edges = {std::move(*base)};
  }
  auto version = services.catalog.current_version(request.title);
  if (!version) return version.error();
  request.version = std::move(version).value();
  if (services.keys.stale()) REELWAY_TRY(services.keys.refresh());
  // By the origin's time: it is the one that edges judge tokens by.
  const auto play_url = issue_play_url(request, services.keys, services.rights.time, services.random);
  if (!play_url) return play_url.error();
  REELWAY_TRY(services.storage.hold(request.title, request.version, play_url->expires_s * 1000));
  return Reply{200, play_url_json(*play_url, request)};
}

}  // namespace reelway::origin
