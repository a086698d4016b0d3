#include <CLI/CLI.hpp>
#include <memory>

#include "cli/rights_report.h"
#include "cli/session.h"
#include "common/base/random.h"

namespace reelway::cli {
namespace {

struct OrderOptions {
  const char* kind = "rent";
  std::string account;
  std::string title;
  std::string offer;
  std::string key;
};

Result<void> order(Session& session, const OrderOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  SystemRandom random;
  const std::string key = options.key.empty() ? "reelway-" + random.hex_id() : options.key;
  Json request{
      {"account", options.account}, {"title", options.title}, {"kind", options.kind}, {"idempotency_key", key}};
  if (!options.offer.empty()) request["offer"] = options.offer;
  const auto answer = origin->post("/v1/orders", request);
  if (!answer) return order_error(answer.error(), key);
  if (session.json)
    session.print_json(*answer);
  else
    session.print(order_report(*answer));
  return {};
}

void add_order(CLI::App& app, Invocation& chosen, const char* kind, const char* description, const char* examples) {
  auto options = std::make_shared<OrderOptions>();
  options->kind = kind;
  CLI::App* command = app.add_subcommand(kind, description);
  command->add_option("account", options->account, "The account, as the platform names it")
      ->required()
      ->type_name("ACCOUNT");
  command->add_option("title", options->title, "Title id")->required()->type_name("TITLE");
  command->add_option("--offer", options->offer, "What is sold, from: reelway offers (default: standard)")
      ->type_name("NAME");
  command
      ->add_option("--key", options->key,
                   "Idempotency key: the same order under the same key is made once (default: a new one)")
      ->type_name("KEY");
  command->footer(examples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return order(session, *options); }; });
}

constexpr const char* kRentExamples = R"help(
Examples:
  reelway rent ann@example.net sintel
  reelway rent ann@example.net sintel --offer sd
  reelway rent ann@example.net sintel --key order-4711     repeat it safely when the outcome is not known)help";

constexpr const char* kBuyExamples = R"help(
Examples:
  reelway buy ann@example.net sintel
  reelway buy ann@example.net sintel --offer hd --key order-4712

An account that rents the title keeps its entitlement, which becomes a purchase: what plays goes on playing.)help";

}  // namespace

void add_rent(CLI::App& app, Invocation& chosen) {
  add_order(app, chosen, "rent", "Rent a title to an account", kRentExamples);
}

void add_buy(CLI::App& app, Invocation& chosen) {
  add_order(app, chosen, "buy", "Sell a title to an account for good", kBuyExamples);
}

}  // namespace reelway::cli
