#include "cli/play_url.h"

#include "cli/quantity.h"
#include "common/access/play_path.h"
#include "common/access/token.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

Json token_fields(const access::Token& token) {
  Json fields{{"title", token.title},
              {"kid", token.kid},
              {"not_before_s", token.not_before_s},
              {"not_before", format_utc(token.not_before_s)},
              {"expires_s", token.expires_s},
              {"expires", format_utc(token.expires_s)},
              {"session", hex(token.session)},
              {"view", access::view_id(token.view)}};
  if (token.entitlement) fields["entitlement"] = base64url(token.entitlement->id);
  return fields;
}

void refuse(Json& verdict, const Error& error) {
  verdict["verdict"] = "refused";
  verdict["error"] = Json::parse(error_json(error), nullptr, false)["error"];
}

}  // namespace

Result<UrlParts> split_url(std::string_view url) {
  UrlParts parts;
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  std::size_t path_at = 0;
  if (scheme != std::string_view::npos) {
    path_at = url.find('/', scheme + 3);
    parts.base = url.substr(0, path_at);
  }
  parts.path = path_at == std::string_view::npos ? "/" : url.substr(path_at);
  if (!parts.path.starts_with('/')) {
    return Error{ErrorCode::usage, Side::client, false, "'" + std::string{url} + "' is neither a URL nor a path"};
  }
  return parts;
}

Json local_verdict(std::string_view path, std::int64_t now_s) {
  Json verdict{{"verdict", "ok"}};
  const auto play_path = access::parse_play_path(path);
  if (!play_path) {
    refuse(verdict, play_path.error());
    return verdict;
  }
  verdict["object_path"] = play_path->object_path;
  verdict["version"] = play_path->version;
  const auto parsed = access::parse_token(play_path->token);
  if (!parsed) {
    refuse(verdict, parsed.error());
    return verdict;
  }
  verdict["token"] = token_fields(parsed->token);
  auto judged = access::check_scope(parsed->token, play_path->title, now_s);
  if (judged) judged = access::check_path_in_view(parsed->token.view, play_path->object_path);
  if (!judged) refuse(verdict, judged.error());
  return verdict;
}

}  // namespace reelway::cli
