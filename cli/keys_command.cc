#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/session.h"
#include "cli/table.h"

namespace reelway::cli {
namespace {

enum class Action : unsigned char { list, rotate, retire };

struct KeysOptions {
  Action action = Action::list;
  std::uint32_t kid = 0;
};

std::string keys_table(const Json& answer, const Terminal& terminal) {
  Table table{{{"KEY", Align::right}, {"STATE"}, {"CREATED"}}};
  for (const Json& key : list_at(answer, "keys")) {
    table.add({std::to_string(count_at(key, "kid")), text_at(key, "state"), text_at(key, "created_at")});
  }
  return table.render(terminal);
}

std::string outcome_text(Action action, const Json& answer, const Terminal& terminal) {
  const auto kid = count_at(answer, "kid");
  switch (action) {
    case Action::list: return keys_table(answer, terminal);
    case Action::rotate:
      return fmt::format(
          "Key {0} signs from now on. Earlier keys still verify; retire one with: reelway keys retire KID\n", kid);
    case Action::retire:
      return fmt::format("Key {} is retired: edges refuse every URL that it signed as soon as they have polled.\n",
                         kid);
  }
  return {};
}

Result<Json> call(const HttpClient& origin, const KeysOptions& options) {
  switch (options.action) {
    case Action::list: return origin.get("/v1/keys");
    case Action::rotate: return origin.post("/v1/keys/rotate", Json::object());
    case Action::retire: return origin.post(fmt::format("/v1/keys/{}/retire", options.kid), Json::object());
  }
  return usage_error("unknown action");
}

Result<void> run_keys(Session& session, const KeysOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = call(*origin, options);
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(outcome_text(options.action, *answer, session.out));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway keys              list them
  reelway keys rotate       make a new key and sign with it; URLs already handed out go on playing
  reelway keys retire 1     refuse every URL that key 1 signed, at once. This cannot be undone: viewers who
                            play with such a URL are cut off. Rotate first, retire when the old URLs have expired.)help";

}  // namespace

void add_keys(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<KeysOptions>();
  CLI::App* command = app.add_subcommand("keys", "List, rotate and retire the keys that sign play URLs");
  command->footer(kExamples);
  command->require_subcommand(0, 1);
  CLI::App* rotate = command->add_subcommand("rotate", "Make a new key and sign with it from now on");
  rotate->footer("\nExample:\n  reelway keys rotate");
  rotate->callback([options] { options->action = Action::rotate; });
  CLI::App* retire = command->add_subcommand("retire", "Refuse every URL that a key signed, at once; cannot be undone");
  retire->footer("\nExample:\n  reelway keys retire 1");
  retire->add_option("kid", options->kid, "The key's number, from: reelway keys")->required()->type_name("KID");
  retire->callback([options] { options->action = Action::retire; });
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return run_keys(session, *options); }; });
}

}  // namespace reelway::cli
