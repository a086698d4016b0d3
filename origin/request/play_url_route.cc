#include <algorithm>
#include <cmath>
#include <cstdio>

#include "origin/catalog/published_clip.h"
#include "origin/fleet/play_url.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"
#include "origin/rights/protecting.h"

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

// "0-120" or "12.5-60", in seconds of the film, as milliseconds.
std::optional<std::pair<std::int64_t, std::int64_t>> parse_seconds(const std::string& text) {
  constexpr double kSecondsMax = 1e6;
  double from = 0, to = 0;
  int read = 0;
  if (text.find_first_not_of("0123456789.-") != std::string::npos) return std::nullopt;
  if (std::sscanf(text.c_str(), "%lf-%lf%n", &from, &to, &read) != 2) return std::nullopt;
  if (static_cast<std::size_t>(read) != text.size() || from < 0 || to > kSecondsMax) return std::nullopt;
  return std::pair(std::llround(from * 1000), std::llround(to * 1000));
}

// The clip between the key frames around the times that are asked for.
Result<std::optional<ClipTimes>> choose_clip(const ApiServices& services, const std::optional<std::string>& asked,
                                             PlayUrlRequest& request) {
  if (!asked) return std::optional<ClipTimes>();
  const auto times = parse_seconds(*asked);
  if (!times) {
    return Error{ErrorCode::http_bad_request, Side::client, false,
                 "field \"clip\": expected <from>-<to> in seconds, such as 0-120, found: " + *asked};
  }
  const Audience audience = request.view.preview != 0 ? Audience::preview : Audience::viewers;
  const auto version = services.catalog.published(request.title, request.version, audience);
  if (!version) return version.error();
  const auto clip = clip_between(**version, times->first, times->second);
  if (!clip) return clip.error();
  request.view.clip = *clip;
  return std::optional(clip_times(**version, *clip));
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
  const auto asked_clip = fields.optional_text("clip");
  const auto packaging = fields.optional_text("packaging");
  REELWAY_TRY(fields.finish());
  request.edges = services.config.public_edges;
  if (edge) {
    auto base = edge_base_url(*edge);
    if (!base) return bad_edge(*edge);
    request.edges = {std::move(*base)};
  }
  REELWAY_TRY(choose_version(services, asked, request));
  const auto clip = choose_clip(services, asked_clip, request);
  if (!clip) return clip.error();
  auto folder =
      play_folder(services.rights, request.title, request.version, packaging, !request.view.clip.is_whole_film());
  if (!folder) return std::move(folder).error();
  request.folder = std::move(folder).value();
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
  nlohmann::json answer = play_url_json(*play_url, request);
  if (*clip) {
    answer["clip"] = {
        {"from_ms", (*clip)->from_ms}, {"to_ms", (*clip)->to_ms}, {"units", access::clip_text(request.view.clip)}};
  }
  return Reply{200, std::move(answer)};
}

}  // namespace reelway::origin
