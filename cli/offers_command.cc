#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cli/quantity.h"
#include "cli/rights_report.h"
#include "cli/session.h"

namespace reelway::cli {
namespace {

Result<void> show_offers(Session& session) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->get("/v1/offers");
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(offers_report(*answer, session.out));
  return {};
}

struct OfferOptions {
  std::string name;
  std::string title;
  std::string start_window;
  std::string play_window;
  std::string licence_end;
  std::optional<std::int64_t> max_height;
  std::optional<std::int64_t> streams;
  std::vector<std::string> languages;
};

Result<void> add_duration(Json& request, const char* field, const char* option, const std::string& text) {
  if (text.empty()) return {};
  const auto duration = parse_duration(text);
  if (!duration || duration->count() < 1000) {
    return usage_error(std::string(option) + " " + text + " is no duration such as 48h or 30d");
  }
  request[field] = duration->count() / 1000;
  return {};
}

Result<Json> request_of(const OfferOptions& options, std::int64_t now_s) {
  Json request{{"name", options.name}};
  if (!options.title.empty()) request["title"] = options.title;
  REELWAY_TRY(add_duration(request, "start_window_s", "--start-window", options.start_window));
  REELWAY_TRY(add_duration(request, "play_window_s", "--play-window", options.play_window));
  if (!options.licence_end.empty()) {
    const auto moment = parse_moment(options.licence_end, now_s);
    if (!moment) {
      return usage_error("--licence-end " + options.licence_end + " is no moment such as 2027-01-15T08:00:00Z or 90d");
    }
    request["licence_end_s"] = *moment;
  }
  if (options.max_height) request["max_height"] = *options.max_height;
  if (options.streams) request["streams_max"] = *options.streams;
  if (!options.languages.empty()) request["languages"] = options.languages;
  return request;
}

Result<void> save_offer(Session& session, const OfferOptions& options) {
  const auto request = request_of(options, session.clock.wall_s());
  if (!request) return request.error();
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->post("/v1/offers", *request);
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(offers_report({{"offers", Json::array({*answer})}}, session.out));
  return {};
}

constexpr const char* kOffersExamples = R"help(
Examples:
  reelway offers
  reelway --json offers | jq '.offers[] | select(.max_height == 480)'

An order looks for an offer of its name for the title, then for one for all titles; "standard" is always there.)help";

constexpr const char* kOfferExamples = R"help(
Examples:
  reelway offer sd --max-height 480
  reelway offer weekend --title sintel --start-window 7d --play-window 72h
  reelway offer german --language de --streams 1
  reelway offer last-call --title sintel --licence-end 2027-01-15T00:00:00Z

What is not given is as in the origin's configuration. What has been sold keeps the terms it was sold with.)help";

}  // namespace

void add_offers(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand("offers", "List what can be rented and bought, and on which terms");
  command->footer(kOffersExamples);
  command->callback([&chosen] { chosen.run = show_offers; });
}

void add_offer(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<OfferOptions>();
  CLI::App* command = app.add_subcommand("offer", "Make or replace an offer");
  command->add_option("name", options->name, "Its name: letters, digits and hyphens")->required()->type_name("NAME");
  command->add_option("--title", options->title, "Title id (default: all titles)")->type_name("TITLE");
  command->add_option("--start-window", options->start_window, "How long after its order a rental may be started")
      ->type_name("DURATION");
  command->add_option("--play-window", options->play_window, "How long a rental plays after its start")
      ->type_name("DURATION");
  command->add_option("--max-height", options->max_height, "Highest rendition, such as 480; 0: all")
      ->type_name("LINES");
  command->add_option("--streams", options->streams, "How many devices of the account may play at once")
      ->type_name("COUNT");
  command->add_option("--language", options->languages, "Language of audio and subtitles, may be repeated")
      ->allow_extra_args(false)
      ->type_name("CODE");
  command->add_option("--licence-end", options->licence_end, "Moment from which nothing plays any more")
      ->type_name("MOMENT");
  command->footer(kOfferExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return save_offer(session, *options); }; });
}

}  // namespace reelway::cli
