#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/rights/protecting.h"

namespace reelway::origin {

Result<Reply> protect(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  ProtectionChange change;
  change.title = call.parameters.at(0);
  const std::string protection = fields.text("protection");
  change.version = fields.optional_text("version").value_or("");
  REELWAY_TRY(fields.finish());
  if (protection != "protected" && protection != "clear") {
    return Error{ErrorCode::http_bad_request, Side::client, false, "field \"protection\": expected protected or clear"};
  }
  change.is_protected = protection == "protected";
  const auto outcome = set_protection(services.rights, change);
  if (!outcome) return outcome.error();
  return Reply{200,
               {{"title", change.title},
                {"version", outcome->version},
                {"protection", protection},
                {"changed", outcome->changed}}};
}

}  // namespace reelway::origin
