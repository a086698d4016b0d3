#include <CLI/CLI.hpp>
#include <memory>

#include "cli/session.h"
#include "cli/title_report.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

Result<void> show_titles(Session& session, const std::string& title) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->get(title.empty() ? "/v1/titles" : "/v1/titles/" + percent_encoded(title));
  if (!answer) return answer.error();
  if (session.json) {
    session.print_json(*answer);
  } else {
    session.print(title.empty() ? titles_report(*answer, session.out) : title_report(*answer, session.out));
  }
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway titles
  reelway titles sintel
  reelway --json titles | jq -r '.titles[] | select(.state == "failed") | .title')help";

}  // namespace

void add_titles(CLI::App& app, Invocation& chosen) {
  auto title = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("titles", "List the titles, or show one with its versions and renditions");
  command->add_option("title", *title, "Title id; without it all titles are listed")->type_name("TITLE");
  command->footer(kExamples);
  command->callback(
      [title, &chosen] { chosen.run = [title](Session& session) { return show_titles(session, *title); }; });
}

}  // namespace reelway::cli
