#include <CLI/CLI.hpp>
#include <memory>

#include "cli/session.h"
#include "cli/storage_report.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct StorageOptions {
  std::string title;
  bool collect = false;
  bool dry_run = false;
};

Result<void> show_storage(Session& session, const StorageOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = options.collect && options.dry_run ? origin->get("/v1/storage/collection")
                      : options.collect                  ? origin->post("/v1/storage/collection", Json::object())
                      : options.title.empty()
                          ? origin->get("/v1/storage")
                          : origin->get("/v1/titles/" + percent_encoded(options.title) + "/storage");
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else if (options.collect)
    session.print(collection_report(*answer, session.out));
  else
    session.print(storage_report(*answer, !options.title.empty(), session.out));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway storage                      where the files of each version are, and how they fare
  reelway storage sintel               each file of a title
  reelway storage --collect --dry-run  what the rules of retention would remove now
  reelway storage --collect            remove it (the origin does so by itself every ten minutes)
  reelway --json storage | jq -r '.versions[].files[] | select(.finding) | .file'

The rules are originals.keep, originals.keep_failed, versions.keep and versions.kept_min in the origin's
configuration. A version that plays, or that somebody may still play, is never removed.)help";

}  // namespace

void add_storage(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<StorageOptions>();
  CLI::App* command = app.add_subcommand("storage", "Show where films are kept and how they fare, or remove old ones");
  CLI::Option* title = command->add_option("title", options->title, "Title id; without it all titles");
  title->type_name("TITLE");
  CLI::Option* collect =
      command->add_flag("--collect", options->collect, "Remove what the rules of retention let go")->excludes(title);
  command->add_flag("--dry-run", options->dry_run, "Only say what would be removed")->needs(collect);
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return show_storage(session, *options); }; });
}

}  // namespace reelway::cli
