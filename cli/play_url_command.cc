#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/quantity.h"
#include "cli/session.h"

namespace reelway::cli {
namespace {

struct PlayUrlOptions {
  std::string title;
  std::string ttl;
  std::string not_before;
  std::string edge;
  std::string version;
  std::string clip;
  std::string packaging;
};

Result<Json> request_of(const PlayUrlOptions& options, std::int64_t now_s) {
  Json request{{"title", options.title}};
  if (!options.ttl.empty()) {
    const auto ttl = parse_duration(options.ttl);
    if (!ttl || ttl->count() < 1000) return usage_error("--ttl " + options.ttl + " is no duration such as 24h or 90m");
    request["ttl_s"] = ttl->count() / 1000;
  }
  if (!options.not_before.empty()) {
    const auto moment = parse_moment(options.not_before, now_s);
    if (!moment) {
      return usage_error("--not-before " + options.not_before +
                         " is no moment such as 2027-01-15T08:00:00Z, 1800000000 or 2h");
    }
    request["not_before_s"] = *moment;
  }
  if (!options.edge.empty()) request["edge"] = options.edge;
  if (!options.version.empty()) request["version"] = options.version;
  if (!options.clip.empty()) request["clip"] = options.clip;
  if (!options.packaging.empty()) request["packaging"] = options.packaging;
  return request;
}

// The URL alone goes to standard output, so that $(reelway play-url TITLE) is the URL.
void show(const Session& session, const Json& answer) {
  const std::string url = text_at(answer, "url");
  session.print(printable(url) + "\n");
  std::string remarks =
      fmt::format("  title       {} {}\n  not before  {}\n  expires at  {}\n  key         {}", text_at(answer, "title"),
                  text_at(answer, "version"), shown(field_at(answer, "not_before")),
                  shown(field_at(answer, "expires_at")), shown(field_at(answer, "kid")));
  for (const Json& other : list_at(answer, "urls")) {
    if (other.is_string() && other != url) remarks += "\n  also at     " + printable(other.get<std::string>());
  }
  if (answer.value("preview", false)) remarks += "\n  a preview: viewers cannot have this version";
  if (answer.contains("clip")) {
    const Json& clip = answer["clip"];
    remarks += fmt::format("\n  clip        {:.3f} to {:.3f} s, between key frames; nothing else of the film",
                           clip.value("from_ms", 0.0) / 1000, clip.value("to_ms", 0.0) / 1000);
  }
  session.remark(remarks);
}

Result<void> make_play_url(Session& session, const PlayUrlOptions& options) {
  const auto request = request_of(options, session.clock.wall_s());
  if (!request) return request.error();
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->post("/v1/play-urls", *request);
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    show(session, *answer);
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway play-url sintel
  reelway play-url sintel --ttl 48h
  reelway play-url sintel --not-before 2027-01-15T20:00:00Z --ttl 2h
  reelway play-url sintel --edge http://127.0.0.1:8090
  mpv "$(reelway play-url sintel)"
  mpv "$(reelway play-url sintel --version v2)"     a version that waits for approval
  reelway play-url sintel --clip 0-120 --ttl 30d    the first two minutes, for everybody

Whoever has the URL can play the title until it expires: hand it out as you would a password.)help";

}  // namespace

void add_play_url(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<PlayUrlOptions>();
  CLI::App* command = app.add_subcommand("play-url", "Make a URL that plays a title for a limited time");
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  command
      ->add_option("--ttl", options->ttl,
                   "How long the URL plays: 90s, 45m, 24h, 7d (default: the origin's play.token_lifetime)")
      ->type_name("DURATION");
  command
      ->add_option("--not-before", options->not_before,
                   "First moment at which it plays: ISO 8601 in UTC, Unix seconds, or a duration from now")
      ->type_name("MOMENT");
  command
      ->add_option("--edge", options->edge,
                   "Base URL of the edge to play from (default: the origin's first public edge)")
      ->type_name("URL");
  command
      ->add_option("--version", options->version,
                   "This version instead of the one that plays; one that viewers cannot have plays for at most 24h")
      ->type_name("VERSION");
  command
      ->add_option("--clip", options->clip,
                   "Only this part of the film, in seconds such as 0-120, widened to key frames (about 2 s)")
      ->type_name("FROM-TO");
  command
      ->add_option("--packaging", options->packaging,
                   "cmaf, aes, cbcs, cenc, ts, ts-aes or ts-sample-aes (default: cmaf, or the origin's "
                   "protection.packaging of a protected version)")
      ->type_name("NAME");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return make_play_url(session, *options); }; });
}

}  // namespace reelway::cli
