#include <CLI/CLI.hpp>
#include <memory>

#include "cli/purge_report.h"
#include "cli/session.h"
#include "common/base/encoding.h"
#include "common/config/settings.h"

namespace reelway::cli {
namespace {

struct PurgeChoice {
  std::string url;
  std::string prefix;
  std::string tag;
  bool soft = false;
};

Result<std::string> query_of(const PurgeChoice& choice) {
  const int given = !choice.url.empty() + !choice.prefix.empty() + !choice.tag.empty();
  if (given != 1) return usage_error("expected one of a URL, --prefix and --tag");
  std::string query = "url=" + percent_encoded(choice.url);
  if (!choice.prefix.empty()) query = "prefix=" + percent_encoded(choice.prefix);
  if (!choice.tag.empty()) query = "tag=" + percent_encoded(choice.tag);
  return choice.soft ? query + "&soft=1" : query;
}

Result<Json> purge_at(const EdgeAddress& edge, const std::string& query) {
  auto credential = config::read_secret(edge.credential_file);
  if (!credential) return credential.error();
  return HttpClient{edge.admin_url, std::move(*credential)}.post("/v1/purge?" + query, Json::object());
}

// Every edge is asked, also after one has failed; the first failure is the command's.
Result<void> purge(Session& session, const PurgeChoice& choice) {
  const auto query = query_of(choice);
  if (!query) return query.error();
  if (session.config.edges.empty()) return usage_error("no edges are configured: list them under edges");
  Result<void> outcome;
  Json result{{"edges", Json::array()}};
  for (const EdgeAddress& edge : session.config.edges) {
    const auto answer = purge_at(edge, *query);
    Json entry = answer.ok() && answer->is_object() ? *answer : Json::object();
    entry["edge"] = edge.public_url;
    if (!answer.ok()) entry["error"] = Json::parse(error_json(answer.error()), nullptr, false)["error"];
    if (!answer.ok() && outcome.ok()) outcome = answer.error();
    result["edges"].push_back(std::move(entry));
  }
  if (session.json && outcome.ok())
    session.print_json(result);
  else if (!session.json)
    session.print(purge_report(result, session.out));
  return outcome;
}

constexpr const char* kExamples = R"help(
Examples:
  reelway purge http://www.example.org/news/1
  reelway purge --prefix /sintel/v1/
  reelway purge --tag frontpage --soft
  reelway --json purge --tag frontpage | jq '.edges[] | [.edge, .objects]'

A path alone concerns films and every host of a site; with a host before it only that host. What is
purged is not served again from the moment the command returns, also not after a restart. With --soft
it becomes stale: it is validated before its next use, and may stand in while the origin is down.)help";

}  // namespace

void add_purge(CLI::App& app, Invocation& chosen) {
  auto choice = std::make_shared<PurgeChoice>();
  CLI::App* command = app.add_subcommand("purge", "Drop stored objects from every edge: one URL, a prefix or a tag");
  command->add_option("url", choice->url, "A URL, or a path with its query")->type_name("URL");
  command->add_option("--prefix", choice->prefix, "Everything below this URL or path")->type_name("URL");
  command->add_option("--tag", choice->tag, "Everything with this Surrogate-Key or Cache-Tag")->type_name("TAG");
  command->add_flag("--soft", choice->soft, "Make it stale instead of dropping it");
  command->footer(kExamples);
  command->callback([choice, &chosen] { chosen.run = [choice](Session& session) { return purge(session, *choice); }; });
}

}  // namespace reelway::cli
