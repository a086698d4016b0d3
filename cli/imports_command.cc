#include <CLI/CLI.hpp>
#include <memory>

#include "cli/import_report.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct ImportsOptions {
  std::string cancel;
  std::string resume;
};

Result<void> show_imports(Session& session, const ImportsOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  if (!options.cancel.empty() && !options.resume.empty()) return usage_error("--cancel or --resume, not both");
  if (!options.cancel.empty() || !options.resume.empty()) {
    const bool cancels = !options.cancel.empty();
    const std::string path = "/v1/imports/" + percent_encoded(cancels ? options.cancel : options.resume);
    const auto changed = origin->post(path + (cancels ? "/cancel" : "/resume"), Json::object());
    if (!changed) return changed.error();
  }
  const auto answer = origin->get("/v1/imports");
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(imports_report(*answer, session.out));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway imports
  reelway imports --cancel 5f0c9be1a44bd2d0b7c7a1e1c6a9d2f3
  reelway imports --resume 5f0c9be1a44bd2d0b7c7a1e1c6a9d2f3
  reelway --json imports | jq '.imports[] | select(.state == "failed") | .error'

A failed import keeps what it has fetched for a week; --resume goes on from there. What comes from a URL whose
server gives no parts begins anew.)help";

}  // namespace

void add_imports(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<ImportsOptions>();
  CLI::App* command =
      app.add_subcommand("imports", "List what comes in from buckets and URLs, newest first; cancel or resume one");
  command->add_option("--cancel", options->cancel, "End this import and drop what it has fetched")->type_name("IMPORT");
  command->add_option("--resume", options->resume, "Go on with this failed import")->type_name("IMPORT");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return show_imports(session, *options); }; });
}

}  // namespace reelway::cli
