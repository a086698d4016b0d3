#include <CLI/CLI.hpp>
#include <memory>

#include "cli/rights_report.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

Result<void> show_entitlements(Session& session, const std::string& account) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const auto answer = origin->get("/v1/accounts/" + percent_encoded(account) + "/entitlements");
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(entitlements_report(*answer, session.out));
  return {};
}

struct RevokeOptions {
  std::string id;
  std::string reason;
  std::string state;
};

Result<void> revoke(Session& session, const RevokeOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  Json request = Json::object();
  if (!options.reason.empty()) request["reason"] = options.reason;
  if (!options.state.empty()) request["state"] = options.state;
  const auto answer = origin->post("/v1/entitlements/" + percent_encoded(options.id) + "/revoke", request);
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else
    session.print(revoke_report(*answer));
  return {};
}

constexpr const char* kEntitlementsExamples = R"help(
Examples:
  reelway entitlements ann@example.net
  reelway --json entitlements ann@example.net | jq -r '.entitlements[].standing')help";

constexpr const char* kRevokeExamples = R"help(
Examples:
  reelway revoke AAECAwQFBgcICQoLDA0ODw --reason "ordered by mistake"
  reelway revoke AAECAwQFBgcICQoLDA0ODw --state refunded

Whoever plays with it is cut off. This cannot be undone; the account can order the title again.)help";

}  // namespace

void add_entitlements(CLI::App& app, Invocation& chosen) {
  auto account = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("entitlements", "Show what an account has rented and bought, and what it plays");
  command->add_option("account", *account, "The account, as the platform names it")->required()->type_name("ACCOUNT");
  command->footer(kEntitlementsExamples);
  command->callback([account, &chosen] {
    chosen.run = [account](Session& session) { return show_entitlements(session, *account); };
  });
}

void add_revoke(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App* command = app.add_subcommand("revoke", "End a rental or purchase, at once and for good");
  command->add_option("id", options->id, "The entitlement's id, from: reelway entitlements ACCOUNT")
      ->required()
      ->type_name("ID");
  command->add_option("--reason", options->reason, "Kept with it, for people")->type_name("TEXT");
  command->add_option("--state", options->state, "What to call it (default: revoked)")
      ->check(CLI::IsMember({"revoked", "refunded", "charged_back"}))
      ->type_name("STATE");
  command->footer(kRevokeExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return revoke(session, *options); }; });
}

}  // namespace reelway::cli
