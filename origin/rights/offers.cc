#include "origin/rights/offers.h"

#include <algorithm>

#include "common/access/play_path.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;

Error bad_request(std::string detail) {
  return {ErrorCode::http_bad_request, Side::client, false, std::move(detail)};
}

// "/v1/offer/<title>/<name>" as an offer without terms.
Offer named_by(std::string_view key) {
  const std::string_view rest = key.substr(kOfferPrefix.size());
  const auto slash = rest.find('/');
  Offer offer;
  offer.title = rest.substr(0, slash);
  if (slash != std::string_view::npos) offer.name = rest.substr(slash + 1);
  return offer;
}

}  // namespace

Result<rights::Terms> find_offer(const RightsServices& services, std::string_view title, std::string_view name,
                                 std::vector<Compare>& compares) {
  for (const std::string_view scope : {title, kEveryTitle}) {
    auto found = find<rights::Terms>(services.store, offer_key(scope, name), parse_offer, compares);
    if (!found.ok()) return std::move(found).error();
    if (found->value) return std::move(*found->value);
  }
  if (name == kStandardOffer) return services.options.standard;
  return Error{ErrorCode::offer_not_found, Side::client, false, std::string(name) + " for title " + std::string(title)};
}

Result<std::vector<Offer>> list_offers(const RightsServices& services) {
  std::vector<Offer> offers;
  std::string after;
  for (bool more = true; more && offers.size() < kOffersMax;) {
    const Result<Page> page = services.store.range(kOfferPrefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      Result<rights::Terms> terms = parse_offer(entry.key, entry.value);
      if (!terms.ok()) return std::move(terms).error();
      offers.push_back(named_by(entry.key));
      offers.back().terms = std::move(terms).value();
      after = entry.key;
    }
    more = page->more;
  }
  const bool replaced = std::any_of(offers.begin(), offers.end(), [](const Offer& offer) {
    return offer.title == kEveryTitle && offer.name == kStandardOffer;
  });
  if (!replaced) {
    offers.insert(offers.begin(), {std::string(kEveryTitle), std::string(kStandardOffer), services.options.standard});
  }
  return offers;
}

Result<void> save_offer(const RightsServices& services, const Offer& offer) {
  // Names of offers follow the same rule as ids of titles.
  if (!access::is_title_id(offer.name)) return bad_request("field \"name\": expected [a-z0-9][a-z0-9-]{0,62}");
  if (const auto right = check_terms(offer.terms); !right.ok()) return bad_request(right.error().detail);
  if (offer.title != kEveryTitle) {
    if (const auto title = services.catalog.title(offer.title); !title.ok()) return title.error();
  }
  Txn txn;
  txn.then_operations = {Operation::put(offer_key(offer.title, offer.name), offer_json(offer.terms))};
  const Result<TxnReply> reply = commit(services.store, txn);
  if (!reply.ok()) return reply.error();
  return {};
}

}  // namespace reelway::origin
