#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"
#include "origin/rights/publishing.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

using Deciding = Result<PublishOutcome> (*)(const RightsServices& services, const PublishDecision& decision);

Result<Reply> answer(const ApiServices& services, const ApiCall& call, Deciding deciding, const char* version_field) {
  BodyFields fields(call.body);
  PublishDecision decision;
  decision.title = call.parameters.at(0);
  decision.by = fields.text("by");
  decision.reason = fields.optional_text("reason").value_or("");
  decision.version = fields.optional_text(version_field).value_or("");
  REELWAY_TRY(fields.finish());
  const auto outcome = deciding(services.rights, decision);
  if (!outcome) return outcome.error();
  const TitleRecord& title = outcome->title;
  json value = {{"title", title.title},
                {"state", name_of(title.state)},
                {"version", outcome->version},
                {"current_version", title.current_version.empty() ? json(nullptr) : json(title.current_version)},
                {"changed", outcome->changed}};
  return Reply{200, std::move(value)};
}

}  // namespace

json history_array(const std::vector<TitleEvent>& history) {
  json list = json::array();
  for (const TitleEvent& event : history) {
    list.push_back({{"action", name_of(event.action)},
                    {"version", event.version},
                    {"by", event.by.empty() ? json(nullptr) : json(event.by)},
                    {"reason", event.reason.empty() ? json(nullptr) : json(event.reason)},
                    {"at", iso_time(event.at_ms)}});
  }
  return list;
}

Result<Reply> approve(const ApiServices& services, const ApiCall& call) {
  return answer(services, call, approve_version, "version");
}

Result<Reply> reject(const ApiServices& services, const ApiCall& call) {
  return answer(services, call, reject_version, "version");
}

Result<Reply> publish(const ApiServices& services, const ApiCall& call) {
  return answer(services, call, publish_title, "version");
}

Result<Reply> roll_back(const ApiServices& services, const ApiCall& call) {
  return answer(services, call, roll_back_title, "to");
}

Result<Reply> unpublish(const ApiServices& services, const ApiCall& call) {
  return answer(services, call, unpublish_title, "version");
}

}  // namespace reelway::origin
