#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "origin/rights/decide.h"
#include "origin/rights/records.h"
#include "origin/rights/rights_services.h"

namespace reelway::origin {

inline constexpr std::string_view kStandardOffer = "standard";
inline constexpr std::size_t kOffersMax = 10'000;  // that are listed

struct Offer {
  std::string title;  // kEveryTitle for all
  std::string name;   // [a-z0-9][a-z0-9-]{0,62}
  rights::Terms terms;
};

// The offer of that name for a title: its own, else the one for all titles, else, for "standard", the configured one.
// Adds the compares that keep it true. offer_not_found.
Result<rights::Terms> find_offer(const RightsServices& services, std::string_view title, std::string_view name,
                                 std::vector<Compare>& compares);
// Stored ones by key, and the configured one unless a stored one stands for it.
Result<std::vector<Offer>> list_offers(const RightsServices& services);
// Makes or replaces it. What has been sold keeps its terms. title_not_found, http_bad_request.
Result<void> save_offer(const RightsServices& services, const Offer& offer);

}  // namespace reelway::origin
