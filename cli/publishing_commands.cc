// What people decide about which version of a title plays: each command is one request, which the origin makes one
// transaction of, so it may be repeated.

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string_view>

#include "cli/session.h"
#include "cli/terminal.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct DecisionOptions {
  std::string title;
  std::string version;
  std::string by;
  std::string reason;
};

struct Decision {
  std::string_view route;     // "/v1/titles/<title>/<route>"
  const char* version_field;  // of the request
  std::string_view done;      // "{} {}" of title and version
  std::string_view done_already;
};

constexpr Decision kApprove{"approve", "version", "{0} {1} is approved and plays from now on.",
                            "{0} {1} had been published already."};
constexpr Decision kReject{"reject", "version", "{0} {1} is rejected. Its files go at the origin's next start.",
                           "{0} {1} had been rejected already."};
constexpr Decision kPublish{"publish", "version", "{0} is on: {1} plays from now on.", "{0} {1} plays already."};
constexpr Decision kRollBack{"rollback", "to",
                             "{0} is rolled back: {1} plays from now on. Viewers of the other version "
                             "go on with it.",
                             "{0} {1} plays already. To go back further, name a version with --to."};
constexpr Decision kUnpublish{"unpublish", "version", "{0} is off at every connected edge within a second.",
                              "{0} was off already."};

Result<void> decide(Session& session, const DecisionOptions& options, const Decision& decision) {
  if (options.by.empty()) return usage_error("--by is required where $USER is not set");
  const auto origin = session.origin();
  if (!origin) return origin.error();
  Json request{{"by", options.by}};
  if (!options.reason.empty()) request["reason"] = options.reason;
  if (!options.version.empty()) request[decision.version_field] = options.version;
  const auto answer =
      origin->post("/v1/titles/" + percent_encoded(options.title) + "/" + std::string(decision.route), request);
  if (!answer) return answer.error();
  if (session.json) {
    session.print_json(*answer);
    return {};
  }
  const bool changed = answer->value("changed", false);
  session.print(fmt::format(fmt::runtime(changed ? decision.done : decision.done_already),
                            printable(text_at(*answer, "title")), printable(text_at(*answer, "version"))) +
                "\n");
  const bool is_off = text_at(*answer, "state") == "unpublished";
  if (is_off && decision.route != kUnpublish.route) {
    session.remark("The title is unpublished and stays so; put it on with: reelway publish " +
                   printable(options.title));
  }
  return {};
}

struct Arguments {
  enum class Version : std::uint8_t { none, optional, required, option } version;
  bool needs_reason;
  const char* version_help;
};

void add_decision(CLI::App& app, Invocation& chosen, const char* name, const char* help, const char* examples,
                  const Decision& decision, const Arguments& arguments) {
  auto options = std::make_shared<DecisionOptions>();
  options->by = user_name();
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  if (arguments.version == Arguments::Version::option) {
    command->add_option("--to", options->version, arguments.version_help)->type_name("VERSION");
  } else if (arguments.version != Arguments::Version::none) {
    CLI::Option* version = command->add_option("version", options->version, arguments.version_help);
    version->type_name("VERSION")->required(arguments.version == Arguments::Version::required);
  }
  command->add_option("--by", options->by, "Who decides, kept with it (default: $USER)")->type_name("NAME");
  command->add_option("--reason", options->reason, "Why, kept with it")
      ->type_name("TEXT")
      ->required(arguments.needs_reason);
  command->footer(examples);
  command->callback([options, decision, &chosen] {
    chosen.run = [options, decision](Session& session) { return decide(session, *options, decision); };
  });
}

constexpr const char* kApproveExamples = R"help(
Examples:
  mpv "$(reelway play-url sintel --version v2)"     look at it first
  reelway approve sintel                            the newest version that is ready
  reelway approve sintel v2 --by ann

Versions wait for this where the origin's publish.approval is person or clean.)help";

constexpr const char* kRejectExamples = R"help(
Examples:
  reelway reject sintel v2 --by ann --reason "the subtitles are of another cut")help";

constexpr const char* kPublishExamples = R"help(
Examples:
  reelway publish sintel        put an unpublished title on again, with the version that played last
  reelway publish sintel v3     have a published version play)help";

constexpr const char* kRollBackExamples = R"help(
Examples:
  reelway rollback sintel              the version that played before this one
  reelway rollback sintel --to v1
  reelway publish sintel v2            forward again

New play URLs get the older version; who watches the other one goes on with it.)help";

constexpr const char* kUnpublishExamples = R"help(
Examples:
  reelway unpublish sintel --reason "the licence was withdrawn"
  reelway publish sintel               put it on again

Nothing of the title plays from then on, at any edge, whoever has a play URL or a rental; only play URLs that staff made
of one version (reelway play-url TITLE --version) go on until they expire. An edge that does not reach the origin hears
of it when it does again.)help";

}  // namespace

void add_approve(CLI::App& app, Invocation& chosen) {
  add_decision(app, chosen, "approve", "Publish a version that waits for approval", kApproveExamples, kApprove,
               {Arguments::Version::optional, false, "Version (default: the newest that is ready)"});
}

void add_reject(CLI::App& app, Invocation& chosen) {
  add_decision(app, chosen, "reject", "Refuse a version that waits for approval", kRejectExamples, kReject,
               {Arguments::Version::required, true, "Version"});
}

void add_publish(CLI::App& app, Invocation& chosen) {
  add_decision(app, chosen, "publish", "Put an unpublished title on again, or have another version play",
               kPublishExamples, kPublish,
               {Arguments::Version::optional, false, "Version (default: that played last)"});
}

void add_roll_back(CLI::App& app, Invocation& chosen) {
  add_decision(app, chosen, "rollback", "Have the version play that played before", kRollBackExamples, kRollBack,
               {Arguments::Version::option, false, "Version (default: the one that played before)"});
}

void add_unpublish(CLI::App& app, Invocation& chosen) {
  add_decision(app, chosen, "unpublish", "Take a title off, at every edge at once", kUnpublishExamples, kUnpublish,
               {Arguments::Version::none, true, ""});
}

}  // namespace reelway::cli
