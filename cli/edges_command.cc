#include <CLI/CLI.hpp>

#include "cli/rights_report.h"
#include "cli/session.h"

namespace reelway::cli {
namespace {

Result<void> show_edges(Session& session) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->get("/v1/edges");
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(edges_report(*answer, session.out));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway edges
  reelway --json edges | jq -r '.edges[] | select(.in_step != true) | .edge'

An edge's copy of the rights is in step when its digest is the origin's at the same revision.)help";

}  // namespace

void add_edges(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand("edges", "List the edges, and how far their copies of the rights have come");
  command->footer(kExamples);
  command->callback([&chosen] { chosen.run = show_edges; });
}

}  // namespace reelway::cli
