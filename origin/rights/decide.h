#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"
#include "origin/rights/account_turns.h"
#include "origin/store/control_store.h"

// How every decision about rights is made: read what it depends on, decide, and commit the decision in a transaction
// that compares all of what was read; when that has changed meanwhile, decide anew. Denials are committed too, as
// transactions that only compare: so no answer mixes two states of the store.

namespace reelway::origin {

inline constexpr int kDecisionAttemptsMax = 100;  // each means that another decision about the same account won
inline constexpr int kUnknownRepeatsMax = 5;

// What to tell of an error of the store: once a transaction's outcome was unknown, nothing but an answer of the store
// tells whether it was applied, so no error after it may say that nothing was. Refusals of the client are such answers.
inline Error after_unknown(Error error, bool unknown) {
  const bool of_store = error.side != Side::client || error.code == ErrorCode::store_conflict;
  if (!unknown || !of_store || error.code == ErrorCode::store_unknown) return error;
  std::string detail = std::string(error.info().name) + " after an unknown outcome: " + error.detail;
  return {ErrorCode::store_unknown, error.side, true, std::move(detail)};
}

// One transaction, repeated while its outcome is unknown. All transactions of rights compare what they change, so a
// repeat of one that was applied changes nothing: its compares fail, and the next attempt finds what it has done.
// Sets `unknown` if any outcome was, and leaves it otherwise.
inline Result<TxnReply> commit(ControlStore& store, const Txn& txn, bool& unknown) {
  Result<TxnReply> reply = store.txn(txn);
  for (int repeat = 0; repeat < kUnknownRepeatsMax; ++repeat) {
    if (reply.ok() || reply.error().code != ErrorCode::store_unknown) break;
    unknown = true;
    reply = store.txn(txn);
  }
  if (!reply.ok()) return after_unknown(std::move(reply).error(), unknown);
  return reply;
}
// For a transaction that no decide() stands around.
inline Result<TxnReply> commit(ControlStore& store, const Txn& txn) {
  bool unknown = false;
  return commit(store, txn, unknown);
}

// What a key held when it was read: no value, and revision 0, when it was absent.
template <class Value>
struct Found {
  std::optional<Value> value;
  Revision revision = 0;
};

// Reads one key and adds the compare that it is unchanged.
template <class Value>
Result<Found<Value>> find(ControlStore& store, const std::string& key,
                          Result<Value> (*parse)(std::string_view, std::string_view), std::vector<Compare>& compares) {
  Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return std::move(entry).error();
  Found<Value> found;
  if (entry->has_value()) {
    Result<Value> value = parse(key, (*entry)->value);
    if (!value.ok()) return std::move(value).error();
    found.value = std::move(value).value();
    found.revision = (*entry)->mod_revision;
  }
  compares.push_back(Compare::unchanged(key, found.revision));
  return found;
}

// Calls `attempt`, which returns Result<std::optional<Outcome>>, until it has an outcome or an error. All attempts get
// the one flag that commit() sets.
template <class Outcome, class Attempt>
Result<Outcome> decide(AccountTurns& turns, std::string_view account, const Attempt& attempt) {
  bool unknown = false;
  std::unique_lock<std::mutex> turn;
  for (int count = 0; count < kDecisionAttemptsMax; ++count) {
    if (count == 1) turn = turns.take(account);
    Result<std::optional<Outcome>> outcome = attempt(unknown);
    if (!outcome.ok()) return after_unknown(std::move(outcome).error(), unknown);
    if (outcome->has_value()) return std::move(**outcome);
  }
  std::string detail =
      "account " + std::string(account) + " changed at each of " + std::to_string(kDecisionAttemptsMax) + " attempts";
  return after_unknown({ErrorCode::store_conflict, Side::client, true, std::move(detail)}, unknown);
}

// The end of an attempt that denies: nothing when what it was decided on has changed.
template <class Outcome>
Result<std::optional<Outcome>> deny(ControlStore& store, std::vector<Compare> compares, Error denial, bool& unknown) {
  Txn txn;
  txn.compares = std::move(compares);
  const Result<TxnReply> reply = commit(store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<Outcome>();
  return denial;
}

}  // namespace reelway::origin
