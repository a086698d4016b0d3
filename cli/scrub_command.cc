#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/session.h"
#include "cli/storage_report.h"

namespace reelway::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{500};
constexpr int kPollFailuresMax = 20;

struct ScrubOptions {
  std::string title;
  bool detach = false;
};

double fraction_of(const Json& status) {
  const std::uint64_t total = count_at(status, "bytes_total");
  return total == 0 ? 0 : static_cast<double>(count_at(status, "bytes")) / static_cast<double>(total);
}

// Until the run has ended; its last state.
Result<Json> follow(Session& session, const HttpClient& origin) {
  ProgressDisplay display{stderr, session.err, session.clock};
  if (!session.json) display.begin("scrub");
  for (int failures = 0;;) {
    auto status = origin.get("/v1/storage/scrub");
    if (!status && (!status.error().retry || ++failures == kPollFailuresMax)) return status;
    if (status) {
      failures = 0;
      if (!session.json) {
        display.update(fraction_of(*status), std::to_string(count_at(*status, "files")) + " of " +
                                                 std::to_string(count_at(*status, "files_total")) + " files, " +
                                                 std::to_string(count_at(*status, "found")) + " damaged");
      }
      if (!flag_at(*status, "running")) {
        if (!session.json) display.end(format_bytes(count_at(*status, "bytes")));
        return status;
      }
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> scrub(Session& session, const ScrubOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  Json body = Json::object();
  if (!options.title.empty()) body["title"] = options.title;
  auto answer = origin->post("/v1/storage/scrub", body);
  if (!answer) return answer.error();
  if (!options.detach) {
    answer = follow(session, *origin);
    if (!answer) return answer.error();
    if (const Json& error = object_at(*answer, "error"); !error.empty())
      return server_error(0, one_line(Json{{"error", error}}), "scrub");
  }
  if (session.json)
    session.print_json(*answer);
  else
    session.print(options.detach ? "The scrub has begun. See what it finds with: reelway storage\n"
                                 : scrub_report(*answer));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway scrub                all files that the origin keeps on its disk
  reelway scrub sintel         those of one title
  reelway scrub --detach       begin, and do not wait
  reelway --json scrub sintel | jq '.found'

Every file is read from the disk and compared with its checksum; a damaged one is put right from the second copy, if
the origin keeps one (storage.copy). The origin does this by itself in rounds (scrub.every), at the same pace
(scrub.rate). Interrupting the command does not stop what has begun.)help";

}  // namespace

void add_scrub(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<ScrubOptions>();
  CLI::App* command = app.add_subcommand("scrub", "Read films again now, find what has rotted, and mend it");
  command->add_option("title", options->title, "Title id; without it all titles")->type_name("TITLE");
  command->add_flag("--detach", options->detach, "Begin, and do not wait");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return scrub(session, *options); }; });
}

}  // namespace reelway::cli
