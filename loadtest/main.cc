// The load client's command line. Exit codes: 0 done, 1 the run failed or some exchanges did, 2 the command line was
// not understood.

#include <fcntl.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <map>

#include "common/base/unique_fd.h"
#include "common/base/version.h"
#include "loadtest/bench.h"
#include "loadtest/fanout.h"
#include "loadtest/pace.h"
#include "loadtest/url.h"

namespace {

using namespace reelway;
using namespace reelway::loadtest;

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2 };

constexpr std::size_t kConnectionsMax = 16'384;
constexpr std::chrono::hours kDurationMax{24};
constexpr std::uint64_t kRateMax = 10'000'000;
constexpr std::int64_t kEveryMsMax = 24 * 3600 * 1000;

constexpr const char* kFooter = R"help(
Examples:
  reelway-load bench --url http://127.0.0.1:8090/t/TOKEN/film/v1/init.mp4 --connections 64 --duration 5s
  reelway-load bench --urls-file segments.txt --connections 16 --discard --json
  reelway-load bench --url http://127.0.0.1:8081/film/v1/init.mp4 --headers-file edge.headers --requests 1000
  reelway-load fanout --url http://127.0.0.1:8090/t/TOKEN/film/v1/video/720/0.m4s --clients 100
  reelway-load pace --urls-file sessions.txt --own --connections 500 --every 250ms --duration 10s --log exchanges.txt
  reelway-load pace --urls-file junk.txt --connections 128 --rate 20000 --sources 127.0.0.2,127.0.0.3 --expect-status 0

A headers file has one "Name: value" a line. Credentials belong there and not in --header, because a command line is
visible to every user of the machine.

Exit codes: 0 done, 1 the run failed or some exchanges did, 2 usage.)help";

struct CommandLine {
  std::vector<std::string> urls;
  std::string urls_file;
  std::vector<std::string> headers;
  std::string headers_file;
  std::uint16_t expected_status = 200;
  std::int64_t timeout_ms = 30'000;
  std::size_t connections = 16;
  std::int64_t duration_ms = 0;  // not given
  std::uint64_t requests = 0;
  bool discard = false;
  bool json = false;
  std::size_t clients = 100;
  std::int64_t every_ms = 0;  // not given
  std::uint64_t rate = 0;     // not given
  bool own = false;
  std::uint32_t batch = ring::RingOptions{}.entries;
  std::vector<std::string> sources;
  std::string log;
};

int report(const Error& error) {
  std::fprintf(stderr, "reelway-load: %s\n", describe(error).c_str());
  return error.code == ErrorCode::usage ? kUsage : kFailed;
}

Result<RequestList> requests_of(const CommandLine& line) {
  std::vector<std::string> urls = line.urls;
  if (!line.urls_file.empty()) {
    auto lines = read_lines(line.urls_file);
    if (!lines) return std::move(lines).error();
    urls.insert(urls.end(), lines->begin(), lines->end());
  }
  std::vector<std::string> header_lines = line.headers;
  if (!line.headers_file.empty()) {
    auto lines = read_lines(line.headers_file);
    if (!lines) return std::move(lines).error();
    header_lines.insert(header_lines.end(), lines->begin(), lines->end());
  }
  std::vector<RequestHeader> headers;
  for (const std::string& text : header_lines) {
    auto header = parse_header(text);
    if (!header) return std::move(header).error();
    headers.push_back(*std::move(header));
  }
  return build_requests(urls, headers);
}

int bench(const CommandLine& line, ring::Ring& ring, const RequestList& list) {
  BenchOptions options;
  options.connections = line.connections;
  if (line.requests > 0) {
    options.duration = kDurationMax;
    options.requests_max = line.requests;
    options.connections = std::min<std::size_t>(options.connections, line.requests);
  }
  if (line.duration_ms > 0) options.duration = std::chrono::milliseconds(line.duration_ms);
  options.body_use = line.discard ? BodyUse::discard : BodyUse::count;
  options.expected_status = line.expected_status;
  options.timeout = std::chrono::milliseconds(line.timeout_ms);
  const auto result = run_bench(ring, list, options);
  if (!result) return report(result.error());
  std::printf("%s%s", line.json ? result->json().c_str() : result->text().c_str(), line.json ? "\n" : "");
  return result->outcomes.failed() == 0 ? kDone : kFailed;
}

int fanout(const CommandLine& line, ring::Ring& ring, const RequestList& list) {
  const FanoutOptions options{line.clients, line.expected_status, std::chrono::milliseconds(line.timeout_ms)};
  const auto result = run_fanout(ring, list, options);
  if (!result) return report(result.error());
  std::printf("%s\n", result->json().c_str());
  return result->failed() == 0 && result->equal_bodies() ? kDone : kFailed;
}

Result<PaceOptions> pace_options(const CommandLine& line) {
  PaceOptions options;
  options.connections = line.connections;
  options.every = std::chrono::milliseconds(line.every_ms);
  if (line.rate > 0) options.every = std::chrono::nanoseconds(std::chrono::seconds(line.connections)) / line.rate;
  if (line.duration_ms > 0) options.duration = std::chrono::milliseconds(line.duration_ms);
  options.own = line.own;
  for (const std::string& text : line.sources) {
    auto source = parse_source(text);
    if (!source) return std::move(source).error();
    options.sources.push_back(*source);
  }
  options.keep_log = !line.log.empty();
  options.body_use = line.discard ? BodyUse::discard : BodyUse::count;
  options.expected_status = line.expected_status;
  options.timeout = std::chrono::milliseconds(line.timeout_ms);
  return options;
}

int pace(const CommandLine& line, ring::Ring& ring, const RequestList& list) {
  const auto options = pace_options(line);
  if (!options) return report(options.error());
  UniqueFd log;
  if (!line.log.empty()) {  // before the run, or a bad path would cost one
    log.reset(::open(line.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!log) return report(system_error("open", line.log, errno));
  }
  const auto result = run_pace(ring, list, *options);
  if (!result) return report(result.error());
  if (log) {
    if (const auto written = result->write_log(log.get(), line.log); !written.ok()) return report(written.error());
  }
  std::printf("%s%s", line.json ? result->json().c_str() : result->text().c_str(), line.json ? "\n" : "");
  return result->whole() ? kDone : kFailed;
}

const CLI::AsNumberWithUnit& duration_with_unit() {
  static const CLI::AsNumberWithUnit kTransform(
      std::map<std::string, std::int64_t>{{"ms", 1}, {"s", 1000}, {"m", 60'000}}, CLI::AsNumberWithUnit::UNIT_REQUIRED,
      "DURATION");
  return kTransform;
}

void add_common_options(CLI::App& command, CommandLine& line) {
  command.add_option("--url", line.urls, "what to ask for (http://HOST[:PORT]/PATH); may be repeated");
  command.add_option("--header", line.headers, "a request header, 'Name: value'; may be repeated");
  command.add_option("--headers-file", line.headers_file, "a file of request headers, one a line");
  command.add_option("--expect-status", line.expected_status, "any other status counts as an error; 0: none does")
      ->capture_default_str();
  command.add_option("--timeout", line.timeout_ms, "of one exchange, e.g. 500ms, 10s")->transform(duration_with_unit());
}

void add_connections(CLI::App& command, CommandLine& line) {
  command.add_option("--connections", line.connections, "kept alive and used at once")
      ->check(CLI::Range(std::size_t{1}, kConnectionsMax))
      ->capture_default_str();
}

void define_pace(CLI::App& app, CommandLine& line) {
  CLI::App& pace = *app.add_subcommand(
      "pace", "open loop: requests are begun by the clock, and late ones count from when they were due");
  add_common_options(pace, line);
  pace.add_option("--urls-file", line.urls_file, "a file of URLs, one a line, asked for in rotation");
  add_connections(pace, line);
  CLI::Option_group& speed = *pace.add_option_group("Pace", "one of:");
  speed.add_option("--every", line.every_ms, "each connection asks once in this time, e.g. 250ms, 4s")
      ->transform(duration_with_unit())
      ->check(CLI::Range(std::int64_t{1}, kEveryMsMax));
  speed.add_option("--rate", line.rate, "requests a second over all connections")
      ->check(CLI::Range(std::uint64_t{1}, kRateMax));
  speed.require_option(1);
  pace.add_option("--duration", line.duration_ms, "how long requests fall due (default 2s)")
      ->transform(duration_with_unit());
  pace.add_flag("--own", line.own, "connection number i only ever asks for URL number i, not for all in rotation");
  pace.add_option(
          "--batch", line.batch,
          "operations handed to the kernel at once: with few, a flood does not keep its core from another client")
      ->check(CLI::Range(8, 4096));
  pace.add_option("--sources", line.sources, "local addresses to connect from, in rotation, e.g. 127.0.0.2,127.0.0.3")
      ->delimiter(',');
  pace.add_option("--log", line.log,
                  "write a line for each exchange: url_index due_ms first_byte_ms end_ms status bytes (wall clock)");
  pace.add_flag("--discard", line.discard, "let the kernel drop the bodies, so that they do not load the client");
  pace.add_flag("--json", line.json, "print one JSON object");
}

void define(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", std::string(kVersion));
  app.footer(kFooter);
  app.require_subcommand(1);
  CLI::App& bench = *app.add_subcommand("bench", "closed loop: each connection asks again as soon as it is answered");
  add_common_options(bench, line);
  bench.add_option("--urls-file", line.urls_file, "a file of URLs, one a line, asked for in rotation");
  add_connections(bench, line);
  bench
      .add_option("--duration", line.duration_ms,
                  "how long requests are begun, e.g. 500ms, 2s, 1m (default 2s, or no limit with --requests)")
      ->transform(duration_with_unit());
  bench.add_option("--requests", line.requests, "begin no more than this many");
  bench.add_flag("--discard", line.discard, "let the kernel drop the bodies, so that they do not load the client");
  bench.add_flag("--json", line.json, "print one JSON object");
  CLI::App& fanout = *app.add_subcommand("fanout", "all clients connect, then ask at once; prints one JSON object");
  add_common_options(fanout, line);
  fanout.add_option("--clients", line.clients, "how many")
      ->check(CLI::Range(std::size_t{1}, kConnectionsMax))
      ->capture_default_str();
  define_pace(app, line);
}

int run(CLI::App& app, const CommandLine& line) {
  const auto list = requests_of(line);
  if (!list) return report(list.error());
  auto ring = ring::Ring::create({.entries = line.batch, .receive_buffers = 2, .receive_buffer_bytes = 4096});
  if (!ring) return report(ring.error());
  if (app.got_subcommand("bench")) return bench(line, **ring, *list);
  if (app.got_subcommand("pace")) return pace(line, **ring, *list);
  return fanout(line, **ring, *list);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Reelway's load client", "reelway-load");
  define(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return run(app, line);
}
