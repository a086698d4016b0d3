#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "origin/rights/rights_services.h"

namespace reelway::origin {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 128;

struct OrderRequest {
  std::string account;
  std::string title;
  rights::Kind kind = rights::Kind::rental;
  std::string offer;            // empty: kStandardOffer
  std::string idempotency_key;  // of visible ASCII characters
};

// Sells: a new entitlement, or the rental that the account holds turned into a purchase, which keeps its id, its clock
// and what plays. Answers as entitlement_object(), with "upgraded".
//
// Exactly once for an idempotency key: the answer is stored in the transaction that makes the entitlement, and a
// repetition is answered with it, for 30 days (sweeper.h). Refusals are not stored: they changed nothing.
// account_id_invalid, http_bad_request, title_not_found, title_not_published, offer_not_found, already_entitled,
// idempotency_key_reused, licence_ended.
Result<nlohmann::json> place_order(const RightsServices& services, const OrderRequest& request);

}  // namespace reelway::origin
