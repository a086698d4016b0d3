#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/quality_report.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct QualityOptions {
  std::string title;
  std::string version;   // empty: the newest
  std::string pictures;  // folder for the findings' pictures; empty: they are not fetched
};

struct WaiveOptions {
  QualityOptions of;
  std::string finding;
  std::string reason;
  std::string by;
};

std::string path_of(const QualityOptions& options) {
  const std::string title = "/v1/titles/" + percent_encoded(options.title);
  if (options.version.empty()) return title + "/quality";
  return title + "/versions/" + percent_encoded(options.version) + "/quality";
}

Result<void> save(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  if (!file) return system_error("write", path, errno);
  return {};
}

// The findings' pictures, under the names that the report has for them.
Result<void> save_pictures(const HttpClient& origin, const QualityOptions& options, const Json& report) {
  std::error_code failure;
  std::filesystem::create_directories(options.pictures, failure);
  if (failure) return system_error("mkdir", options.pictures, failure.value());
  const QualityOptions of{options.title, text_at(report, "version"), {}};
  for (const Json& finding : list_at(report, "findings")) {
    const std::string name = std::filesystem::path(text_at(finding, "picture")).filename();
    if (name.empty()) continue;
    const auto bytes = origin.get_bytes(path_of(of) + "/" + percent_encoded(text_at(finding, "id")) + "/picture");
    if (!bytes) return bytes.error();
    REELWAY_TRY(save(options.pictures + "/" + name, *bytes));
  }
  return {};
}

Result<void> show(Session& session, const QualityOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->get(path_of(options));
  if (!answer) return answer.error();
  if (!options.pictures.empty()) REELWAY_TRY(save_pictures(*origin, options, *answer));
  if (session.json)
    session.print_json(*answer);
  else
    session.print(quality_report(*answer, session.out));
  return {};
}

Result<void> waive(Session& session, WaiveOptions options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  if (options.of.version.empty()) {
    const auto newest = origin->get(path_of(options.of));
    if (!newest) return newest.error();
    options.of.version = text_at(*newest, "version");
  }
  const auto answer = origin->post(path_of(options.of) + "/" + percent_encoded(options.finding) + "/waive",
                                   {{"by", options.by}, {"reason", options.reason}});
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(waived_report(*answer, options.finding));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway quality sintel
  reelway quality sintel --version v2
  reelway quality sintel --pictures ./findings
  reelway quality waive sintel black-1 --reason "a pause is meant here"
  reelway --json quality sintel | jq -r '.findings[] | select(.severity == "block") | .id')help";

constexpr const char* kWaiveExamples = R"help(
Examples:
  reelway quality waive sintel black-1 --reason "a pause is meant here"
  reelway quality waive sintel silence-2 --version v2 --by ann --reason "checked with the studio"

The name and the reason are kept with the finding. When the same version is checked again, a waiver stays with what is
the same.)help";

}  // namespace

void add_quality(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<QualityOptions>();
  CLI::App* command =
      app.add_subcommand("quality", "Show what the quality checks found in a title, or waive a finding");
  command->add_option("title", options->title, "Title id")->type_name("TITLE");
  command->add_option("--version", options->version, "Version (default: the newest)")->type_name("VERSION");
  command->add_option("--pictures", options->pictures, "Also save the findings' pictures and waveforms there")
      ->type_name("FOLDER");
  command->footer(kExamples);

  auto waiving = std::make_shared<WaiveOptions>();
  waiving->by = user_name();
  CLI::App* waiver = command->add_subcommand("waive", "Take responsibility for a finding, so that it holds nothing");
  waiver->add_option("title", waiving->of.title, "Title id")->required()->type_name("TITLE");
  waiver->add_option("finding", waiving->finding, "The finding's id, from: reelway quality TITLE")
      ->required()
      ->type_name("FINDING");
  waiver->add_option("--reason", waiving->reason, "Why it may stay, kept with it")->required()->type_name("TEXT");
  waiver->add_option("--by", waiving->by, "Who says so (default: $USER)")->type_name("NAME");
  waiver->add_option("--version", waiving->of.version, "Version (default: the newest)")->type_name("VERSION");
  waiver->footer(kWaiveExamples);

  command->callback([options, waiving, command, &chosen] {
    if (command->got_subcommand("waive")) {
      chosen.run = [waiving](Session& session) -> Result<void> {
        if (waiving->by.empty()) return usage_error("--by is required where $USER is not set");
        return waive(session, *waiving);
      };
      return;
    }
    chosen.run = [options](Session& session) -> Result<void> {
      if (options->title.empty()) return usage_error("a title is required");
      return show(session, *options);
    };
  });
}

}  // namespace reelway::cli
