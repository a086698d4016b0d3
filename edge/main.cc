// reelway-edge: reads its options, makes the rings of the edge, runs the first of them, and ends when all have drained.
//
// SIGTERM and SIGINT come in through a signalfd that is read by the ring like any other descriptor, so the drain begins
// between two turns and never in the middle of something.

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/unique_fd.h"
#include "common/base/version.h"
#include "common/config/settings.h"
#include "common/ring/ring.h"
#include "common/ring/turn_clock.h"
#include "common/telemetry/log.h"
#include "edge/admin/admin_port.h"
#include "edge/admin/reference.h"
#include "edge/request/edge_rings.h"
#include "edge/request/options.h"

namespace reelway::edge {
namespace {

constexpr int kExitConfig = 78;

// Descriptors beside the public connections: upstream, admin, store, and the ring's own.
constexpr rlim_t kFurtherDescriptors = 1024;

constexpr std::string_view kUsage = R"(Usage: reelway-edge --config FILE [--check-config]
       reelway-edge --print-example-config | --print-reference PAGE | --help | --version

Caches and serves films behind playback tokens, filling itself from an origin.

  --config FILE            run with this configuration
  --check-config           only check it: exit 0 when it is good, 78 when not
  --print-example-config   a commented configuration with every option
  --print-reference PAGE   a page of docs/reference: errors, config or metrics
  --version                print the version

When it serves it prints one line on standard output:
  {"ready":true,"public":"127.0.0.1:8090","admin":"127.0.0.1:8091"}
Logs go to standard error. SIGTERM or SIGINT drains: running answers finish, then it exits with 0.

Examples:
  reelway-edge --print-example-config > edge.yaml
  reelway-edge --config edge.yaml --check-config
  reelway-edge --config edge.yaml
)";

struct CommandLine {
  std::string config_file;
  bool check_only = false;
};

int fail(const Error& error) {
  std::fprintf(stderr, "reelway-edge: %s\n", describe(error).c_str());
  const auto code = error.code;
  const bool is_config = code == ErrorCode::config_unreadable || code == ErrorCode::config_syntax ||
                         code == ErrorCode::config_key_missing || code == ErrorCode::config_key_unknown ||
                         code == ErrorCode::config_value_invalid;
  return is_config ? kExitConfig : 1;
}

telemetry::LogLevel log_level(std::string_view name) {
  if (name == "debug") return telemetry::LogLevel::debug;
  if (name == "warn") return telemetry::LogLevel::warn;
  if (name == "error") return telemetry::LogLevel::error;
  return telemetry::LogLevel::info;
}

// Every connection is a descriptor, so the soft limit is raised to the hard one, and that must be enough.
Result<void> provide_descriptors(std::size_t connections_max) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return system_error("getrlimit", "open files", errno);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return system_error("setrlimit", "open files", errno);
  if (limit.rlim_max >= connections_max + kFurtherDescriptors) return {};
  return Error{
      ErrorCode::config_value_invalid, Side::self, false,
      fmt::format("limits.connections_max: {} connections and {} further descriptors are more than the {} open "
                  "files that this process may have (LimitNOFILE, ulimit -n)",
                  connections_max, kFurtherDescriptors, limit.rlim_max)};
}

// Blocked in this thread before any other is made, so that all inherit it.
Result<UniqueFd> signal_descriptor() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) return system_error("sigmask", "signals", errno);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd) return system_error("signalfd", "signals", errno);
  return fd;
}

// The program while it runs: the parts and the order in which they end.
class Program {
 public:
  Program(ring::Ring& ring, UniqueFd signals, EdgeRings& rings)
      : ring_(ring), signals_(std::move(signals)), rings_(rings), last_resort_(ring) {}

  void start(AdminPort& admin) {
    admin_ = &admin;
    read_signal();
    rings_.start();
    admin.start();
    const nlohmann::ordered_json line{
        {"ready", true}, {"public", rings_.first().listener().address_text()}, {"admin", admin.address_text()}};
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
  }

  void begin_drain() {
    if (rings_.first().draining()) return;
    // The store recovers after any crash, so an edge whose disk hangs does not have to wait for it.
    last_resort_.arm(rings_.first().config().drain_timeout, [] {
      telemetry::log_error("the drain did not end within drain.timeout: leaving without the store's flush");
      ::_exit(1);
    });
    rings_.drain([this] {
      admin_->close([this] {
        telemetry::log_info("drained");
        ring_.stop();
      });
    });
  }

 private:
  void read_signal() { ring_.read(signal_, signals_.get(), signal_info_, 0); }
  void on_signal(std::int32_t result, std::uint32_t) {
    begin_drain();
    if (result > 0) read_signal();
  }

  ring::Ring& ring_;
  const UniqueFd signals_;
  EdgeRings& rings_;
  AdminPort* admin_ = nullptr;
  ring::Timer last_resort_;
  std::array<std::uint8_t, sizeof(signalfd_siginfo)> signal_info_{};
  ring::Bound<Program, &Program::on_signal> signal_{*this};
};

int serve(const EdgeConfig& config) {
  if (auto enough = provide_descriptors(config.connections_max); !enough.ok()) return fail(enough.error());
  auto signals = signal_descriptor();
  if (!signals.ok()) return fail(signals.error());
  auto ring = ring::Ring::create();
  if (!ring.ok()) return fail(ring.error());
  const SystemClock system_clock;
  const ring::TurnClock clock(**ring, system_clock);
  auto rings = EdgeRings::create(**ring, clock, system_clock, config);
  if (!rings.ok()) return fail(rings.error());
  Program program(**ring, std::move(signals).value(), **rings);
  auto admin = AdminPort::open(**ring, clock, **rings, [&program] { program.begin_drain(); });
  if (!admin.ok()) {
    (*rings)->drain([&ring] { (*ring)->stop(); });
  } else {
    program.start(**admin);
  }
  (*ring)->run();
  (*ring)->abandon();
  return admin.ok() ? 0 : fail(admin.error());
}

int run(const CommandLine& command) {
  auto settings = config::load(edge_options(), command.config_file);
  if (!settings.ok()) return fail(settings.error());
  auto config = edge_config(*settings);
  if (!config.ok()) return fail(config.error());
  if (command.check_only) return 0;
  telemetry::start_log("reelway-edge", log_level(config->log_level));
  return serve(*config);
}

int usage_error(const std::string& what) {
  std::fprintf(stderr, "reelway-edge: %s\n", describe(Error{ErrorCode::usage, Side::client, false, what}).c_str());
  return 2;
}

int print_reference(std::string_view page) {
  const auto text = reference_text(page);
  if (!text) return usage_error("--print-reference takes errors, config or metrics");
  return std::fputs(text->c_str(), stdout) < 0;
}

int main(int count, char** arguments) {
  CommandLine command;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") return std::fputs(kUsage.data(), stdout) < 0;
    if (argument == "--version") return std::printf("reelway-edge %s\n", kVersion.data()) < 0;
    if (argument == "--print-example-config") {
      return std::fputs(config::commented_example(edge_options(), "reelway-edge").c_str(), stdout) < 0;
    }
    if (argument == "--print-reference" && i + 1 < count) return print_reference(arguments[i + 1]);
    if (argument == "--check-config") {
      command.check_only = true;
    } else if (argument == "--config" && i + 1 < count) {
      command.config_file = arguments[++i];
    } else {
      return usage_error("unexpected argument: " + std::string(argument));
    }
  }
  if (command.config_file.empty()) return usage_error("--config FILE is missing");
  return run(command);
}

}  // namespace
}  // namespace reelway::edge

int main(int count, char** arguments) {
  return reelway::edge::main(count, arguments);
}
