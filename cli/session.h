#pragma once

#include <functional>
#include <string>

#include "cli/http_client.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "common/base/clock.h"

namespace CLI {
class App;
}

namespace reelway::cli {

// What a command gets to work with: where the servers are, how to speak to the person or program that called.
// Results go to standard output, as text or as one line of JSON; progress and remarks go to standard error.
struct Session {
  bool json = false;
  CliConfig config;
  Terminal out;
  Terminal err;
  const Clock& clock;

  Result<HttpClient> origin() const;  // reads the credential file
  void print(const std::string& text) const;
  void print_json(const Json& value) const;
  void remark(const std::string& text) const;  // a line on standard error; nothing with --json
};

// What the command line asked for, filled in by the chosen subcommand's callback.
struct Invocation {
  std::function<Result<void>(Session&)> run;
  bool needs_config = true;
};

// Each adds its subcommand, with options, help and examples, to the application.
void add_ingest(CLI::App& app, Invocation& chosen);
void add_import(CLI::App& app, Invocation& chosen);
void add_imports(CLI::App& app, Invocation& chosen);
void add_titles(CLI::App& app, Invocation& chosen);
void add_quality(CLI::App& app, Invocation& chosen);
void add_approve(CLI::App& app, Invocation& chosen);
void add_reject(CLI::App& app, Invocation& chosen);
void add_publish(CLI::App& app, Invocation& chosen);
void add_roll_back(CLI::App& app, Invocation& chosen);
void add_unpublish(CLI::App& app, Invocation& chosen);
void add_protect(CLI::App& app, Invocation& chosen);
void add_play_url(CLI::App& app, Invocation& chosen);
void add_explain(CLI::App& app, Invocation& chosen);
void add_purge(CLI::App& app, Invocation& chosen);
void add_keys(CLI::App& app, Invocation& chosen);
void add_rent(CLI::App& app, Invocation& chosen);
void add_buy(CLI::App& app, Invocation& chosen);
void add_entitlements(CLI::App& app, Invocation& chosen);
void add_revoke(CLI::App& app, Invocation& chosen);
void add_play(CLI::App& app, Invocation& chosen);
void add_offers(CLI::App& app, Invocation& chosen);
void add_offer(CLI::App& app, Invocation& chosen);
void add_edges(CLI::App& app, Invocation& chosen);
void add_jobs(CLI::App& app, Invocation& chosen);
void add_storage(CLI::App& app, Invocation& chosen);
void add_scrub(CLI::App& app, Invocation& chosen);
void add_reingest(CLI::App& app, Invocation& chosen);
void add_version(CLI::App& app, Invocation& chosen);

Error usage_error(std::string detail);
std::string user_name();  // $USER; empty where it is not set

}  // namespace reelway::cli
