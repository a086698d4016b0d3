// Whether a version is handed out encrypted.

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string_view>

#include "cli/session.h"
#include "cli/terminal.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct ProtectOptions {
  std::string title;
  std::string version;
  bool clear = false;
};

Result<void> protect(Session& session, const ProtectOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  Json request{{"protection", options.clear ? "clear" : "protected"}};
  if (!options.version.empty()) request["version"] = options.version;
  const auto answer = origin->post("/v1/titles/" + percent_encoded(options.title) + "/protection", request);
  if (!answer) return answer.error();
  if (session.json) {
    session.print_json(*answer);
    return {};
  }
  const char* state = options.clear ? "in the clear" : "protected";
  session.print(fmt::format("{} {} {} {}.\n", printable(text_at(*answer, "title")),
                            printable(text_at(*answer, "version")),
                            answer->value("changed", false) ? "is handed out from now on" : "was already", state));
  session.remark(
      "Play URLs made before name the other form and end now; edges keep what they have stored of it, for those "
      "who may watch the title.");
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway protect sintel             encrypt the version that plays, for every response
  reelway protect sintel v2
  reelway protect sintel --clear     hand it out in the clear again

What versions start as is the origin's option protection.default.)help";

}  // namespace

void add_protect(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<ProtectOptions>();
  CLI::App* command = app.add_subcommand("protect", "Hand a version out encrypted, or in the clear");
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  command->add_option("version", options->version, "Version (default: the one that plays)")->type_name("VERSION");
  command->add_flag("--clear", options->clear, "In the clear instead");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return protect(session, *options); }; });
}

}  // namespace reelway::cli
