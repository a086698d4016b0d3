// The operator's command. Exit codes: 0 done, 1 the operation failed, 2 the command line was not understood,
// 78 (EX_CONFIG) the command's own configuration is at fault.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/session.h"
#include "common/base/version.h"
#include "common/config/settings.h"

namespace {

using namespace reelway;
using cli::Json;

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kConfiguration = 78 };

constexpr const char* kFooter = R"help(
Examples:
  reelway ingest ~/films/sintel.mp4 --name "Sintel"
  reelway import s3://films/2024/ --ending .mov
  reelway titles
  reelway quality sintel
  reelway jobs
  reelway storage
  reelway scrub sintel
  reelway approve sintel v2
  reelway rollback sintel
  reelway unpublish sintel --reason "the licence was withdrawn"
  reelway play-url sintel --ttl 48h
  reelway rent ann@example.net sintel
  reelway play ann@example.net sintel
  reelway edges
  reelway explain http://edge-1.example.net/t/.../sintel/v1/master.m3u8
  reelway purge --tag frontpage
  reelway --json titles sintel

The configuration says where the origin and the edges are:
  origin:
    url: http://127.0.0.1:8080
    credential_file: /etc/reelway/api.secret
  edges:
    - "http://127.0.0.1:8090 http://127.0.0.1:8091 /etc/reelway/edge-admin.secret"

Exit codes: 0 done, 1 failed, 2 usage, 78 configuration.)help";

int report(const Error& error, bool json, int exit_code) {
  if (json) {
    std::printf("%s\n", error_json(error).c_str());
  } else {
    std::fprintf(stderr, "reelway: %s\n", cli::printable(describe(error)).c_str());
  }
  return exit_code;
}

std::string default_config() {
  const char* named = std::getenv("REELWAY_CONFIG");
  return named != nullptr && *named != '\0' ? named : cli::kDefaultConfigFile;
}

bool asks_for_json(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* argument) { return std::string_view{argument} == "--json"; });
}

int run(const cli::Invocation& chosen, const std::string& config_file, bool json) {
  const SystemClock clock;
  cli::Session session{json, {}, cli::detect_terminal(1), cli::detect_terminal(2), clock};
  if (chosen.needs_config) {
    auto config = cli::load_config(config_file);
    if (!config) return report(config.error(), json, kConfiguration);
    session.config = std::move(*config);
  }
  const auto outcome = chosen.run(session);
  if (outcome.ok()) return kDone;
  return report(outcome.error(), json, outcome.error().code == ErrorCode::usage ? kUsage : kFailed);
}

}  // namespace

int main(int argc, char** argv) {
  const cli::HttpLibrary library;
  CLI::App app{"Reelway's operator command: bring films in, rent them out, hand out play URLs, see what an edge does.",
               "reelway"};
  std::string config_file = default_config();
  bool json = false;
  app.add_option("--config", config_file,
                 "Configuration file (default: $REELWAY_CONFIG, else /etc/reelway/reelway.yaml)")
      ->type_name("FILE");
  app.add_flag("--json", json, "One line of JSON on standard output instead of text");
  app.set_version_flag("--version", "reelway " + std::string{kVersion});
  app.add_flag_callback(
      "--print-example-config",
      [] {
        std::fputs(config::commented_example(cli::options(), "reelway").c_str(), stdout);
        throw CLI::Success{};
      },
      "Print a commented configuration with every option, and exit");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);

  cli::Invocation chosen;
  cli::add_ingest(app, chosen);
  cli::add_import(app, chosen);
  cli::add_imports(app, chosen);
  cli::add_titles(app, chosen);
  cli::add_quality(app, chosen);
  cli::add_approve(app, chosen);
  cli::add_reject(app, chosen);
  cli::add_publish(app, chosen);
  cli::add_roll_back(app, chosen);
  cli::add_unpublish(app, chosen);
  cli::add_protect(app, chosen);
  cli::add_play_url(app, chosen);
  cli::add_explain(app, chosen);
  cli::add_purge(app, chosen);
  cli::add_keys(app, chosen);
  cli::add_rent(app, chosen);
  cli::add_buy(app, chosen);
  cli::add_entitlements(app, chosen);
  cli::add_revoke(app, chosen);
  cli::add_play(app, chosen);
  cli::add_offers(app, chosen);
  cli::add_offer(app, chosen);
  cli::add_jobs(app, chosen);
  cli::add_edges(app, chosen);
  cli::add_storage(app, chosen);
  cli::add_scrub(app, chosen);
  cli::add_reingest(app, chosen);
  cli::add_version(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const auto refused = cli::usage_error(error.what());
    return report(refused, asks_for_json(argc, argv), kUsage);
  }
  return run(chosen, config_file, json);
}
