#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/quantity.h"
#include "cli/rights_report.h"
#include "cli/session.h"

namespace reelway::cli {
namespace {

struct PlayOptions {
  std::string account;
  std::string title;
  std::string device = "reelway-cli";
};

// The URL alone goes to standard output, so that $(reelway play ACCOUNT TITLE) is the URL.
void show(const Session& session, const Json& answer) {
  session.print(printable(text_at(answer, "master_url")) + "\n");
  const auto time_at = [&](const char* key) {
    const auto time_s = count_at(answer, key);
    return time_s == 0 ? std::string("-") : format_utc(static_cast<std::int64_t>(time_s));
  };
  session.remark(fmt::format(
      "  title        {} {}\n  session      {}\n  entitlement  {}\n  first play   {}\n  plays until  {}\n  token until "
      " {}\n"
      "  resume at    {} s\n  heartbeat    each {} s, else its slot is free again",
      printable(text_at(answer, "title")), printable(text_at(answer, "version")), printable(text_at(answer, "session")),
      printable(text_at(answer, "entitlement")), time_at("first_play_s"), time_at("view_until_s"),
      time_at("expires_at_s"), count_at(answer, "resume_s"), count_at(answer, "heartbeat_s")));
}

Result<void> play(Session& session, const PlayOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->post(
      "/v1/playback", {{"account", options.account}, {"title", options.title}, {"device", options.device}});
  if (!answer) return answer.error();
  if (session.json) {
    session.print_json(*answer);
    return {};
  }
  REELWAY_TRY(check_edge_known(*answer));  // a path alone is no URL
  show(session, *answer);
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway play ann@example.net sintel
  reelway play ann@example.net sintel --device tv
  mpv "$(reelway play ann@example.net sintel)"

This is what the platform's backend asks when a viewer presses play: the first time starts the rental's clock.)help";

}  // namespace

void add_play(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<PlayOptions>();
  CLI::App* command = app.add_subcommand("play", "Begin to play a title that an account has rented or bought");
  command->add_option("account", options->account, "The account, as the platform names it")
      ->required()
      ->type_name("ACCOUNT");
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  command->add_option("--device", options->device, "Name of the device, which takes one stream (default: reelway-cli)")
      ->type_name("DEVICE");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return play(session, *options); }; });
}

}  // namespace reelway::cli
