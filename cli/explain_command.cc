#include <CLI/CLI.hpp>
#include <memory>

#include "cli/explain_report.h"
#include "cli/play_url.h"
#include "cli/session.h"
#include "common/base/encoding.h"
#include "common/config/settings.h"

namespace reelway::cli {
namespace {

// What does not lie below /t/ is a site's: it has no token, and its host is part of what it is.
bool is_play_url(const UrlParts& url) {
  return url.path.starts_with("/t/");
}

Result<Json> ask_edge(const EdgeAddress& edge, const std::string& path) {
  auto credential = config::read_secret(edge.credential_file);
  if (!credential) return credential.error();
  const HttpClient client{edge.admin_url, std::move(*credential)};
  return client.get("/v1/explain?target=" + percent_encoded(path));
}

// An edge's answer with its address; an edge that cannot be asked gives its error in the answer's place, so that the
// others are still shown.
Json edge_answer(const EdgeAddress& edge, const UrlParts& url, const std::string& text) {
  const auto answer = ask_edge(edge, is_play_url(url) ? url.path : text);
  Json entry = answer.ok() && answer->is_object() ? *answer : Json::object();
  if (!answer.ok()) entry["error"] = Json::parse(error_json(answer.error()), nullptr, false)["error"];
  entry["edge"] = edge.public_url;
  entry["admin"] = edge.admin_url;
  entry["asked_by_url"] = edge.public_url == url.base;
  return entry;
}

std::string text_report(const Session& session, const Json& result) {
  const std::int64_t now_s = session.clock.wall_s();
  std::string text = result.contains("verdict") ? verdict_report(result, now_s, session.out) : std::string{};
  for (const Json& edge : list_at(result, "edges")) text += "\n" + edge_report(edge, session.out);
  if (session.config.edges.empty()) text += "\nNo edges are configured: list them under edges in the configuration.\n";
  return text;
}

Result<void> explain(Session& session, const std::string& text) {
  const auto url = split_url(text);
  if (!url) return url.error();
  Json result = is_play_url(*url) ? local_verdict(url->path, session.clock.wall_s()) : Json::object();
  result["url"] = text;
  result["edges"] = Json::array();
  for (const EdgeAddress& edge : session.config.edges) result["edges"].push_back(edge_answer(edge, *url, text));
  if (session.json)
    session.print_json(result);
  else
    session.print(text_report(session, result));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway explain "$(reelway play-url sintel)"
  reelway explain http://127.0.0.1:8090/t/.../sintel/v1/video/720/3.m4s
  reelway --json explain URL | jq '.edges[].would'

Shows what the URL's token says, then asks each edge of the configuration what it would do with a
request for it: its verdict on the token, the cache key, where the object lies, hit or miss.
Nothing is fetched and nothing changes. A URL of the site has no token; it is looked up as for a
request with no other field than Host.)help";

}  // namespace

void add_explain(CLI::App& app, Invocation& chosen) {
  auto url = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("explain", "Say what each edge would do with a URL, and why");
  command->add_option("url", *url, "A play URL, any URL below it, or a URL of the site")->required()->type_name("URL");
  command->footer(kExamples);
  command->callback([url, &chosen] { chosen.run = [url](Session& session) { return explain(session, *url); }; });
}

}  // namespace reelway::cli
