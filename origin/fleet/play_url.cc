#include "origin/fleet/play_url.h"

#include <algorithm>

namespace reelway::origin {
namespace {

// A token that is usable at once begins this much in the past: an edge's clock may be a little behind ours.
constexpr std::int64_t kClockSlackSeconds = 60;

Error bad_request(std::string detail) {
  Error error;
  error.code = ErrorCode::http_bad_request;
  error.side = Side::client;
  error.detail = std::move(detail);
  return error;
}

}  // namespace

Result<PlayUrl> issue_play_url(const PlayUrlRequest& request, const SigningKeys& keys, const Clock& clock,
                               Random& random) {
  const std::int64_t now_s = clock.wall_s();
  const std::int64_t start_s = request.not_before_s.value_or(now_s);
  const std::int64_t lifetime_s = request.expires_s ? *request.expires_s - start_s : request.lifetime_s;
  if (lifetime_s < 1 || lifetime_s > kTokenLifetimeSecondsMax) {
    return bad_request("ttl_s must be 1 to " + std::to_string(kTokenLifetimeSecondsMax));
  }
  if (start_s < 1 || start_s > now_s + kTokenLifetimeSecondsMax) {
    return bad_request("not_before_s must be a time in unix seconds, at most " +
                       std::to_string(kTokenLifetimeSecondsMax) + " s from now");
  }
  access::Token token;
  token.title = request.title;
  token.not_before_s = request.not_before_s ? start_s : start_s - kClockSlackSeconds;
  token.expires_s = start_s + lifetime_s;
  token.entitlement = request.entitlement;
  token.view = request.view;
  if (request.session) {
    token.session = *request.session;
  } else {
    random.fill(token.session);
  }
  auto signed_token = keys.sign(token);
  if (!signed_token) return signed_token.error();

  PlayUrl play_url;
  play_url.kid = signed_token->kid;
  play_url.token = std::move(signed_token->text);
  play_url.not_before_s = token.not_before_s;
  play_url.expires_s = token.expires_s;
  play_url.path = "/t/" + play_url.token + "/" + request.title + "/" + request.version + "/";
  if (!request.view.clip.is_whole_film()) {
    play_url.path += std::string(access::kClipFolder) + access::clip_text(request.view.clip) + "/";
  }
  if (!request.folder.empty()) play_url.path += request.folder + "/";
  play_url.path += "master.m3u8";
  for (const std::string& edge : request.edges) play_url.urls.push_back(edge + play_url.path);
  return play_url;
}

std::optional<std::string> edge_base_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = text.substr(0, scheme_end);
  std::string_view host = text.substr(scheme_end + 3);
  if (host.ends_with('/')) host.remove_suffix(1);
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']';
  };
  const bool fits = (scheme == "http" || scheme == "https") && !host.empty() && host.size() <= 255 &&
                    std::all_of(host.begin(), host.end(), allowed);
  if (!fits) return std::nullopt;
  return std::string(scheme) + "://" + std::string(host);
}

}  // namespace reelway::origin
