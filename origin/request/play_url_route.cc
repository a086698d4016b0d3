#include <algorithm>

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

// How long a look at what is not published may take: its URL outlives the title's being taken off.
constexpr std::int64_t kPreviewSecondsMax = 24LL * 3600, kPreviewSecondsUsual = 4LL * 3600;

// The version that plays now, or the one that is asked for; one that viewers cannot have as a preview.
Result<void> choose_version(const ApiServices& services, const std::optional<std::string>& asked,
                            PlayUrlRequest& request) {
  auto current = services.catalog.current_version(request.title);
  if (!asked) {
    if (!current) return current.error();
    request.version = std::move(current).value();
    return {};
  }
  const auto version = services.catalog.version(request.title, *asked);
  if (!version) return version.error();
  request.version = version->version;
  if (version->state == VersionState::published && current) return {};
  if (version->state != VersionState::published && version->state != VersionState::ready) {
    return Error{ErrorCode::version_not_ready, Side::client, false,
                 request.title + " " + *asked + " is " + std::string(name_of(version->state))};
  }
  request.view.preview = version_number(request.version);
  return {};
}

nlohmann::json play_url_json(const PlayUrl& play_url, const PlayUrlRequest& request) {
  return {// Without a known edge the path alone still says what to ask of any edge.
          {"url", play_url.urls.empty() ? play_url.path : play_url.urls.front()},
          {"urls", play_url.urls},
          {"token", play_url.token},
          {"title", request.title},
          {"version", request.version},
          {"preview", request.view.preview != 0},
          {"kid", play_url.kid},
          {"not_before", iso_time(play_url.not_before_s * 1000)},
          {"expires_at", iso_time(play_url.expires_s * 1000)}};
}

}  // namespace

Result<Reply> create_play_url(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  PlayUrlRequest request;
  request.title = fields.text("title");
  const auto ttl_s = fields.optional_integer("ttl_s");
  const auto asked = fields.optional_text("version");
  request.not_before_s = fields.optional_integer("not_before_s");
  const auto edge = fields.optional_text("edge");
  REELWAY_TRY(fields.finish());
  request.edges = services.config.public_edges;
  if (edge) {
    auto base = edge_base_url(*edge);
    if (!base) return bad_edge(*edge);
    request.edges = {std::move(*base)};
  }
  REELWAY_TRY(choose_version(services, asked, request));
  request.lifetime_s = ttl_s.value_or(services.config.token_lifetime.count());
  if (request.view.preview != 0) {
    request.lifetime_s = ttl_s.value_or(std::min(request.lifetime_s, kPreviewSecondsUsual));
    if (request.lifetime_s > kPreviewSecondsMax) {
      return Error{ErrorCode::http_bad_request, Side::client, false,
                   "field \"ttl_s\": a preview lasts at most " + std::to_string(kPreviewSecondsMax) + " s"};
    }
  }
  if (services.keys.stale()) REELWAY_TRY(services.keys.refresh());
  // By the origin's time: it is the one that edges judge tokens by.
  const auto play_url = issue_play_url(request, services.keys, services.rights.time, services.random);
  if (!play_url) return play_url.error();
  REELWAY_TRY(services.storage.hold(request.title, request.version, play_url->expires_s * 1000));
  return Reply{200, play_url_json(*play_url, request)};
}

}  // namespace reelway::origin
