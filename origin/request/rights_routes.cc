#include <algorithm>

#include "common/base/encoding.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"
#include "origin/rights/entitlements.h"
#include "origin/rights/offers.h"
#include "origin/rights/orders.h"
#include "origin/rights/playback.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr std::size_t kReasonBytesMax = 500;

Error bad_request(std::string detail) {
  return {ErrorCode::http_bad_request, Side::client, false, std::move(detail)};
}

json offer_object(const Offer& offer) {
  json value = terms_object(offer.terms);
  value["title"] = offer.title;
  value["name"] = offer.name;
  return value;
}

// Without a field the offer has what the configuration says.
Result<rights::Terms> terms_of(BodyFields& fields, const rights::Terms& standard) {
  rights::Terms terms = standard;
  terms.start_window_s = fields.optional_integer("start_window_s").value_or(terms.start_window_s);
  terms.play_window_s = fields.optional_integer("play_window_s").value_or(terms.play_window_s);
  terms.licence_end_s = fields.optional_integer("licence_end_s").value_or(terms.licence_end_s);
  // These are checked here, before they become smaller numbers.
  const std::int64_t max_height = fields.optional_integer("max_height").value_or(terms.max_height);
  const std::int64_t streams_max = fields.optional_integer("streams_max").value_or(terms.streams_max);
  for (const auto& right :
       {check_range("max_height", max_height, 0, kHeightMax), check_range("streams_max", streams_max, 1, kSlotsMax)}) {
    if (!right.ok()) return bad_request(right.error().detail);
  }
  terms.max_height = static_cast<std::uint16_t>(max_height);
  terms.streams_max = static_cast<std::uint32_t>(streams_max);
  terms.languages = fields.optional_texts("languages").value_or(terms.languages);
  std::sort(terms.languages.begin(), terms.languages.end());
  terms.languages.erase(std::unique(terms.languages.begin(), terms.languages.end()), terms.languages.end());
  return terms;
}

Result<std::vector<std::string>> edge_urls(const std::vector<std::string>& texts) {
  std::vector<std::string> urls;
  for (const std::string& text : texts) {
    auto url = edge_base_url(text);
    if (!url) return bad_request("field \"edges\": expected http://host:port, found: " + text);
    urls.push_back(std::move(*url));
  }
  return urls;
}

Result<rights::State> final_state(const std::string& name) {
  for (const rights::State state : {rights::State::revoked, rights::State::refunded, rights::State::charged_back}) {
    if (rights::name_of(state) == name) return state;
  }
  return bad_request("field \"state\": expected revoked, refunded or charged_back");
}

json playback_object(const Playback& playback, const RightsOptions& options) {
  const PlayUrl& play_url = playback.play_url;
  const EntitlementRecord& entitlement = playback.entitlement;
  return {{"session", playback.session},
          {"entitlement", rights::id_text(entitlement.id)},
          {"title", entitlement.title},
          {"version", playback.version},
          // Without a known edge the paths alone still say what to ask of any edge.
          {"master_url", play_url.urls.empty() ? play_url.path : play_url.urls.front()},
          {"urls", play_url.urls},
          {"token", play_url.token},
          {"expires_at", iso_time(play_url.expires_s * 1000)},
          {"expires_at_s", play_url.expires_s},
          {"heartbeat_url", playback.heartbeat_urls.empty() ? heartbeat_path(play_url.token, entitlement.title)
                                                            : playback.heartbeat_urls.front()},
          {"heartbeat_urls", playback.heartbeat_urls},
          {"heartbeat_s", options.session_renew_s},
          {"resume_s", playback.resume_s},
          {"first_play_s", entitlement.record.first_play_s},
          {"view_until_s", entitlement.record.view_until_s},
          {"max_height", entitlement.terms.max_height},
          {"languages", entitlement.terms.languages}};
}

// A segment of a path as it was meant: an account may hold an '@', which clients may send as %40. What is badly encoded
// is left as it is, and refused by the check of the account.
std::string decoded_segment(const std::string& text) {
  return percent_decoded(text).value_or(text);
}

}  // namespace

Result<Reply> place_order(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  OrderRequest request;
  request.account = fields.text("account");
  request.title = fields.text("title");
  const std::string kind = fields.text("kind");
  request.offer = fields.optional_text("offer").value_or("");
  request.idempotency_key = fields.text("idempotency_key");
  REELWAY_TRY(fields.finish());
  if (kind != "rent" && kind != "buy") return bad_request("field \"kind\": expected rent or buy");
  request.kind = kind == "rent" ? rights::Kind::rental : rights::Kind::purchase;
  auto answer = place_order(services.rights, request);
  if (!answer) return answer.error();
  return Reply{201, std::move(answer).value()};
}

Result<Reply> list_entitlements(const ApiServices& services, const ApiCall& call) {
  auto answer = list_entitlements(services.rights, decoded_segment(call.parameters.at(0)));
  if (!answer) return answer.error();
  return Reply{200, std::move(answer).value()};
}

Result<Reply> show_entitlement(const ApiServices& services, const ApiCall& call) {
  auto answer = show_entitlement(services.rights, call.parameters.at(0));
  if (!answer) return answer.error();
  return Reply{200, std::move(answer).value()};
}

Result<Reply> revoke_entitlement(const ApiServices& services, const ApiCall& call) {
  const json no_fields = json::object();
  BodyFields fields(call.body.is_null() ? no_fields : call.body);
  Revocation revocation;
  revocation.id = call.parameters.at(0);
  revocation.reason = fields.optional_text("reason").value_or("");
  const std::string state = fields.optional_text("state").value_or("revoked");
  REELWAY_TRY(fields.finish());
  if (revocation.reason.size() > kReasonBytesMax) {
    return bad_request("field \"reason\": at most " + std::to_string(kReasonBytesMax) + " bytes");
  }
  const auto final = final_state(state);
  if (!final) return final.error();
  revocation.state = *final;
  auto answer = revoke_entitlement(services.rights, revocation);
  if (!answer) return answer.error();
  return Reply{200, std::move(answer).value()};
}

Result<Reply> start_playback(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  PlaybackRequest request;
  request.account = fields.text("account");
  request.title = fields.text("title");
  request.device = fields.text("device");
  const auto edges = fields.optional_texts("edges");
  request.packaging = fields.optional_text("packaging");
  REELWAY_TRY(fields.finish());
  if (edges) {
    auto urls = edge_urls(*edges);
    if (!urls) return urls.error();
    request.edges = std::move(urls).value();
  }
  const auto playback = start_playback(services.rights, request);
  if (!playback) return playback.error();
  return Reply{200, playback_object(*playback, services.rights.options)};
}

Result<Reply> list_offers(const ApiServices& services, const ApiCall&) {
  const auto offers = list_offers(services.rights);
  if (!offers) return offers.error();
  json list = json::array();
  for (const Offer& offer : *offers) list.push_back(offer_object(offer));
  return Reply{200, {{"offers", std::move(list)}}};
}

Result<Reply> save_offer(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  Offer offer;
  offer.title = fields.optional_text("title").value_or(std::string(kEveryTitle));
  offer.name = fields.text("name");
  auto terms = terms_of(fields, services.rights.options.standard);
  REELWAY_TRY(fields.finish());
  if (!terms.ok()) return terms.error();
  offer.terms = std::move(terms).value();
  REELWAY_TRY(save_offer(services.rights, offer));
  return Reply{200, offer_object(offer)};
}

}  // namespace reelway::origin
