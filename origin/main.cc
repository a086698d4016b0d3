#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/random.h"
#include "common/base/version.h"
#include "common/telemetry/log.h"
#include "origin/net/event_loop.h"
#include "origin/request/options.h"
#include "origin/request/origin_server.h"
#include "origin/request/reference.h"

// reelway-origin: reads its configuration, starts the server, says once that it is ready, and serves until a signal.

namespace reelway::origin {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfiguration = 78;  // EX_CONFIG of sysexits.h

constexpr std::string_view kHelp =
    R"help(reelway-origin: takes in films, transcodes them and serves them to edges as HLS.

  reelway-origin --config FILE          serve until SIGTERM or SIGINT
  reelway-origin --config FILE --check-config
                                        say whether the configuration is right, and end
  reelway-origin --print-example-config write a configuration file with every option and its meaning
  reelway-origin --print-reference PAGE write a page of docs/reference: errors, config or metrics
  reelway-origin --version
  reelway-origin --help

Examples:
  reelway-origin --print-example-config > /etc/reelway/origin.yaml
  reelway-origin --config /etc/reelway/origin.yaml --check-config
  reelway-origin --config /etc/reelway/origin.yaml

When it serves it prints one line of JSON with its addresses on standard output; its log goes to standard error.
SIGTERM lets running answers end; a film that is being transcoded goes on at the next start.
Exit codes: 0 ended by a signal, 1 could not start, 2 wrong arguments, 78 wrong configuration.
)help";

struct Arguments {
  std::string config;
  bool check_config = false;
  bool print_example = false;
  std::string reference;  // the page asked for
  bool version = false;
  bool help = false;
  std::string wrong;  // what was not understood
};

Arguments parse_arguments(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view value = values[i];
    if (value == "--config" && i + 1 < count) {
      arguments.config = values[++i];
    } else if (value.starts_with("--config=")) {
      arguments.config = value.substr(std::string_view("--config=").size());
    } else if (value == "--check-config") {
      arguments.check_config = true;
    } else if (value == "--print-example-config") {
      arguments.print_example = true;
    } else if (value == "--print-reference" && i + 1 < count) {
      arguments.reference = values[++i];
    } else if (value == "--version") {
      arguments.version = true;
    } else if (value == "--help" || value == "-h") {
      arguments.help = true;
    } else {
      arguments.wrong = value;
    }
  }
  return arguments;
}

int print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return 0;
}

int report(const Error& error) {
  std::fprintf(stderr, "reelway-origin: %s\n", describe(error).c_str());
  switch (error.code) {
    case ErrorCode::config_unreadable:
    case ErrorCode::config_syntax:
    case ErrorCode::config_key_missing:
    case ErrorCode::config_key_unknown:
    case ErrorCode::config_value_invalid: return kExitConfiguration;
    default: return kExitFailed;
  }
}

int usage(const std::string& what) {
  std::fprintf(stderr, "reelway-origin: %s. See: reelway-origin --help\n", what.c_str());
  return kExitUsage;
}

int print_reference(std::string_view page) {
  const auto text = reference_text(page);
  return text ? print(*text) : usage("--print-reference takes errors, config or metrics");
}

// Both ports together may hold more connections than a shell's usual limit of open files allows.
void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string ready_line(const OriginServer& server) {
  nlohmann::ordered_json line = {{"ready", true}, {"api", server.api_address()}, {"media", server.media_address()}};
  if (!server.work_address().empty()) line["work"] = server.work_address();
  return line.dump() + "\n";
}

int serve(OriginConfig config) {
  raise_open_files_limit();
  // Reads of films and calls of the control store share the loop's workers; four, the usual number, are few for both.
  setenv("UV_THREADPOOL_SIZE", "8", 0);
  const SystemClock clock;
  SystemRandom random;
  EventLoop loop;
  auto started = OriginServer::start(loop, std::move(config), clock, random);
  if (!started) return report(started.error());
  const std::unique_ptr<OriginServer> server = std::move(started).value();
  bool draining = false;
  const auto on_signal = [&] {
    if (draining) return server->abort();
    draining = true;
    telemetry::log_info("draining; a second signal ends open connections at once");
    server->drain([&loop] { loop.stop(); });
  };
  const SignalWatch terminate(loop, SIGTERM, on_signal);
  const SignalWatch interrupt(loop, SIGINT, on_signal);
  telemetry::log_info("reelway-origin {} serves: api {}, media {}", kVersion, server->api_address(),
                      server->media_address());
  print(ready_line(*server));
  loop.run();
  telemetry::log_info("ended");
  return 0;
}

int run(int count, char** values) {
  const Arguments arguments = parse_arguments(count, values);
  if (!arguments.wrong.empty()) return usage("unknown or incomplete argument " + arguments.wrong);
  if (arguments.help) return print(kHelp);
  if (arguments.version) return print("reelway-origin " + std::string(kVersion) + "\n");
  if (arguments.print_example) return print(config::commented_example(origin_options(), kOriginExampleTitle));
  if (!arguments.reference.empty()) return print_reference(arguments.reference);
  if (arguments.config.empty()) return usage("--config FILE is missing");
  auto config = load_origin_config(arguments.config);
  if (!config) return report(config.error());
  if (arguments.check_config) return print(arguments.config + " is right\n");
  telemetry::start_log("reelway-origin", config->log_level);
  return serve(std::move(config).value());
}

}  // namespace
}  // namespace reelway::origin

int main(int count, char** values) {
  return reelway::origin::run(count, values);
}
