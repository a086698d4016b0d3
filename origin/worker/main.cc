#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/unique_fd.h"
#include "common/base/version.h"
#include "common/config/reference.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/worker.h"
#include "origin/worker/film_cache.h"
#include "origin/worker/options.h"
#include "origin/worker/remote_tasks.h"

namespace reelway::origin {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfiguration = 78;  // EX_CONFIG of sysexits.h

constexpr std::string_view kHelp =
    R"help(reelway-worker: makes parts of films for an origin, on any machine that reaches its port for workers.

  reelway-worker --config FILE          work until SIGTERM or SIGINT
  reelway-worker --config FILE --check-config
                                        say whether the configuration is right, and end
  reelway-worker --print-example-config write a configuration file with every option and its meaning
  reelway-worker --print-reference config
                                        write the page of docs/reference about the configuration
  reelway-worker --version
  reelway-worker --help

Examples:
  reelway-worker --print-example-config > /etc/reelway/worker.yaml
  reelway-worker --config /etc/reelway/worker.yaml --check-config
  reelway-worker --config /etc/reelway/worker.yaml

When it works it prints one line of JSON on standard output; its log goes to standard error. SIGTERM ends running media
tools and gives their parts back. Any number of workers may work for one origin; one that dies costs the part it was
making. Exit codes: 0 ended by a signal, 1 could not start, 2 wrong arguments, 78 wrong configuration.
)help";

int print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return 0;
}

int report(const Error& error) {
  std::fprintf(stderr, "reelway-worker: %s\n", describe(error).c_str());
  const bool is_configuration = error.code == ErrorCode::config_unreadable || error.code == ErrorCode::config_syntax ||
                                error.code == ErrorCode::config_key_missing ||
                                error.code == ErrorCode::config_key_unknown ||
                                error.code == ErrorCode::config_value_invalid;
  return is_configuration ? kExitConfiguration : kExitFailed;
}

int usage(const std::string& what) {
  std::fprintf(stderr, "reelway-worker: %s. See: reelway-worker --help\n", what.c_str());
  return kExitUsage;
}

// Two workers in one folder would remove each other's parts.
Result<UniqueFd> lock_folder(const std::string& folder) {
  REELWAY_TRY(make_folders(folder));
  const std::string path = folder + "/reelway.lock";
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return system_error("open", path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return Error{ErrorCode::config_value_invalid, Side::self, false, "work_dir: another worker uses " + folder};
}

int serve(const WorkerConfig& config) {
  // Every thread starts with these blocked, so that this one alone waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  if (config.transcode.sandbox.required) {
    if (const Result<void> checked = check_sandbox(config.transcode.sandbox); !checked.ok()) {
      return report(checked.error());
    }
  }
  const Result<UniqueFd> lock = lock_folder(config.work_dir);
  if (!lock.ok()) return report(lock.error());
  const WorkClient client(config.origin_url, config.credential);
  FilmCache films(config.work_dir + "/films", config.films_bytes_max);
  if (const Result<void> opened = films.open(); !opened.ok()) return report(opened.error());
  RemoteTasks tasks(client, films, {config.name, config.work_dir + "/parts"});
  if (const Result<void> opened = tasks.open(); !opened.ok()) return report(opened.error());
  Worker worker(tasks, {config.slots, config.transcode});
  worker.start();
  telemetry::log_info("worker {} takes work from {}, {} parts at once", config.name, config.origin_url, config.slots);
  print(nlohmann::ordered_json{{"ready", true}, {"worker", config.name}}.dump() + "\n");
  int signal = 0;
  ::sigwait(&signals, &signal);
  telemetry::log_info("ending; parts that are being made are given back");
  // A media tool is ended by the worker's stop, a fetch by the tasks': in this order none begins anew in between.
  tasks.stop();
  worker.stop();
  telemetry::log_info("ended");
  return 0;
}

int run(int count, char** values) {
  std::string config_file;
  bool check_config = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view value = values[i];
    const bool has_next = i + 1 < count;
    if (value == "--help" || value == "-h") return print(kHelp);
    if (value == "--version") return print("reelway-worker " + std::string(kVersion) + "\n");
    if (value == "--print-example-config") {
      return print(config::commented_example(worker_options(), kWorkerExampleTitle));
    }
    if (value == "--print-reference" && has_next && std::string_view(values[i + 1]) == "config") {
      return print(config::reference_page(worker_options(), "reelway-worker"));
    }
    if (value == "--check-config") {
      check_config = true;
    } else if (value == "--config" && has_next) {
      config_file = values[++i];
    } else {
      return usage("unknown or incomplete argument " + std::string(value));
    }
  }
  if (config_file.empty()) return usage("--config FILE is missing");
  const Result<WorkerConfig> config = load_worker_config(config_file);
  if (!config.ok()) return report(config.error());
  if (check_config) return print(config_file + " is right\n");
  telemetry::start_log("reelway-worker", config->log_level);
  return serve(*config);
}

}  // namespace
}  // namespace reelway::origin

int main(int count, char** values) {
  return reelway::origin::run(count, values);
}
