#include "origin/rights/orders.h"

#include <algorithm>

#include "origin/catalog/records.h"
#include "origin/rights/entitlements.h"
#include "origin/rights/offers.h"

// Model. An order is one transaction over all that it was decided on:
//
//   no result stored under the idempotency key       the first of two equal requests wins, the other finds its result
//   the title's record, as read                      so that an order and an unpublication have an order
//   the offer's records, as read
//   the account's newest entitlement of the title    so that two orders cannot both find that there is none
//
// and writes the result with the entitlement, or neither.

namespace reelway::origin {
namespace {

using nlohmann::json;

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<void> check_request(const OrderRequest& request) {
  REELWAY_TRY(check_account(request.account));
  const std::string& key = request.idempotency_key;
  const bool visible = std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!key.empty() && key.size() <= kIdempotencyKeyBytesMax && visible) return {};
  return error_of(ErrorCode::http_bad_request, "field \"idempotency_key\": expected 1 to " +
                                                   std::to_string(kIdempotencyKeyBytesMax) +
                                                   " visible ASCII characters");
}

// What must be equal in all requests under one key. The parts contain no line ends.
std::string fingerprint_of(const OrderRequest& request) {
  return std::string(name_of(request.kind)) + "\n" + request.title + "\n" + request.offer;
}

Result<void> check_published(const RightsServices& services, const std::string& title, std::vector<Compare>& compares) {
  const auto found = find<TitleRecord>(services.store, title_key(title), parse_title, compares);
  if (!found.ok()) return found.error();
  if (!found->value) return error_of(ErrorCode::title_not_found, title);
  if (!found->value->current_version.empty() && found->value->state != TitleState::unpublished) return {};
  return error_of(ErrorCode::title_not_published, title + " is " + std::string(name_of(found->value->state)));
}

// The entitlement that the order makes of what the account holds.
struct Sale {
  EntitlementRecord entitlement;
  bool upgraded = false;
};

Result<Sale> sell(const OrderRequest& request, const rights::EntitlementId& new_id, const rights::Terms& terms,
                  const std::optional<EntitlementRecord>& held, std::int64_t now_s) {
  if (terms.licence_end_s != 0 && terms.licence_end_s <= now_s) {
    return error_of(ErrorCode::licence_ended, "offer " + request.offer + " for title " + request.title);
  }
  Sale sale;
  if (held && !rights::denial(held->record, now_s)) {
    const bool upgrades = held->record.kind == rights::Kind::rental && request.kind == rights::Kind::purchase;
    if (!upgrades) {
      return error_of(ErrorCode::already_entitled, std::string(name_of(held->record.kind)) + " of title " +
                                                       request.title + ", " + rights::id_text(held->id));
    }
    sale.entitlement = *held;
    sale.entitlement.record = rights::bought(held->record, terms);
    sale.upgraded = true;
  } else {
    sale.entitlement.id = new_id;
    sale.entitlement.account = request.account;
    sale.entitlement.title = request.title;
    sale.entitlement.record = rights::ordered(request.kind, terms, now_s);
  }
  sale.entitlement.offer = request.offer;
  sale.entitlement.terms = terms;
  sale.entitlement.ordered_at_s = now_s;
  return sale;
}

Result<std::optional<json>> write_sale(const RightsServices& services, const OrderRequest& request, const Sale& sale,
                                       std::int64_t now_s, Txn txn, bool& unknown) {
  json answer = entitlement_object(sale.entitlement, now_s);
  answer["upgraded"] = sale.upgraded;
  const OrderResult result{fingerprint_of(request), now_s, answer.dump()};
  const std::string key = entitlement_key(sale.entitlement.id);
  txn.then_operations = {Operation::put(key, to_json(sale.entitlement)),
                         Operation::put(order_result_key(request.account, request.idempotency_key), to_json(result))};
  if (!sale.upgraded) {
    txn.compares.push_back(Compare::absent(key));
    txn.then_operations.push_back(
        Operation::put(account_key(request.account, request.title), newest_entitlement_json(sale.entitlement.id)));
  }
  const Result<TxnReply> reply = commit(services.store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<json>();
  return std::optional(std::move(answer));
}

Result<std::optional<json>> attempt_order(const RightsServices& services, const OrderRequest& request,
                                          const rights::EntitlementId& new_id, bool& unknown) {
  Txn txn;
  const auto stored = find<OrderResult>(services.store, order_result_key(request.account, request.idempotency_key),
                                        parse_order_result, txn.compares);
  if (!stored.ok()) return stored.error();
  if (stored->value) {
    if (stored->value->fingerprint == fingerprint_of(request)) {
      return std::optional(json::parse(stored->value->answer, nullptr, false));
    }
    return error_of(ErrorCode::idempotency_key_reused, "account " + request.account);
  }
  REELWAY_TRY(check_published(services, request.title, txn.compares));
  const auto terms = find_offer(services, request.title, request.offer, txn.compares);
  if (!terms.ok()) return terms.error();
  const auto held = find_newest(services.store, request.account, request.title, txn.compares);
  if (!held.ok()) return held.error();
  const std::int64_t now_s = services.time.now_s();
  const auto sale = sell(request, new_id, *terms, held->value, now_s);
  // A refusal may rest on what this very order did when an earlier transaction's outcome was unknown, or on what an
  // equal request has done meanwhile: its transaction then fails and the result is found.
  if (!sale.ok()) return deny<json>(services.store, std::move(txn.compares), sale.error(), unknown);
  return write_sale(services, request, *sale, now_s, std::move(txn), unknown);
}

}  // namespace

Result<json> place_order(const RightsServices& services, const OrderRequest& request) {
  REELWAY_TRY(check_request(request));
  OrderRequest named = request;
  if (named.offer.empty()) named.offer = kStandardOffer;
  // One id for all attempts, so that a repeated transaction is the same one.
  rights::EntitlementId new_id{};
  // A command line would take an id that begins with '-' for an option.
  do services.random.fill(new_id);
  while (rights::id_text(new_id).starts_with('-'));
  return decide<json>(services.turns, request.account,
                      [&](bool& unknown) { return attempt_order(services, named, new_id, unknown); });
}

}  // namespace reelway::origin
