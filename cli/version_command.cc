#include <CLI/CLI.hpp>

#include "cli/session.h"
#include "common/base/version.h"

namespace reelway::cli {
namespace {

Result<void> show_version(const Session& session) {
  const std::string version{kVersion};
  if (session.json)
    session.print_json({{"version", version}});
  else
    session.print("reelway " + version + "\n");
  return {};
}

}  // namespace

void add_version(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand("version", "Print the release of this command");
  command->footer("\nExample:\n  reelway --json version");
  command->callback([&chosen] {
    chosen.needs_config = false;
    chosen.run = show_version;
  });
}

}  // namespace reelway::cli
