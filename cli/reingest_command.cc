#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/progress.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{500};
constexpr int kPollFailuresMax = 20;

struct ReingestOptions {
  std::string title;
  std::string version;  // empty: the current one
};

// Waits until the bucket has given the original back; the upload that it has become.
Result<std::string> fetched(Session& session, const HttpClient& origin, const std::string& import) {
  ProgressDisplay display{stderr, session.err, session.clock};
  if (!session.json) display.begin("fetch");
  for (int failures = 0;;) {
    const auto status = origin.get("/v1/imports/" + percent_encoded(import));
    if (!status && (!status.error().retry || ++failures == kPollFailuresMax)) return status.error();
    if (status) {
      failures = 0;
      const std::string state = text_at(*status, "state");
      const std::uint64_t size = count_at(*status, "size_bytes");
      const auto received = static_cast<double>(count_at(*status, "received_bytes"));
      if (!session.json && size > 0) display.update(received / static_cast<double>(size));
      if (state == "failed")
        return server_error(0, one_line(Json{{"error", field_at(*status, "error")}}), "the fetch of the original");
      if (state == "cancelled") return usage_error("the fetch of the original was cancelled");
      if (state == "done") {
        if (!session.json) display.end();
        return text_at(*status, "upload");
      }
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> reingest(Session& session, ReingestOptions options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const std::string title = "/v1/titles/" + percent_encoded(options.title);
  if (options.version.empty()) {
    const auto shown = origin->get(title);
    if (!shown) return shown.error();
    options.version = text_at(*shown, "version");
    if (options.version.empty()) return usage_error("no version of " + options.title + " is published: name one");
  }
  const auto recalled =
      origin->post(title + "/versions/" + percent_encoded(options.version) + "/original/recall", Json::object());
  if (!recalled) return recalled.error();
  std::string upload = text_at(*recalled, "upload");
  if (upload.empty()) {
    auto came = fetched(session, *origin, text_at(*recalled, "import"));
    if (!came) return came.error();
    upload = std::move(*came);
  }
  Json body = {{"title", options.title}, {"upload", upload}, {"new_version", true}};
  if (const std::string language = text_at(*recalled, "language"); !language.empty()) body["language"] = language;
  const auto job = origin->post("/v1/titles", body);
  if (!job) return job.error();
  if (session.json) {
    session.print_json(*job);
  } else {
    session.print("Version " + printable(text_at(*job, "version")) + " of " + printable(options.title) +
                  " is being made. See how far it is with: reelway jobs " + printable(text_at(*job, "job")) + "\n");
  }
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway reingest sintel                 from the original of the version that plays
  reelway reingest sintel --version v1    from that of another version

The original is the one that the origin keeps: on its disk, or in its bucket, from where it is fetched and compared
with its SHA-256 first. The new version replaces the current one once it is published.)help";

}  // namespace

void add_reingest(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<ReingestOptions>();
  CLI::App* command = app.add_subcommand("reingest", "Make a new version of a title from an original that is kept");
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  command->add_option("--version", options->version, "Version whose original is taken (default: the current one)")
      ->type_name("VERSION");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return reingest(session, *options); }; });
}

}  // namespace reelway::cli
