#include "origin/rights/sweeper.h"

#include <algorithm>
#include <array>

#include "common/telemetry/log.h"
#include "origin/rights/decide.h"
#include "origin/rights/records.h"
#include "origin/rights/slots.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::size_t kRemovalsOfATransaction = 50;  // each with up to two compares and two operations

// When an entitlement could last have been played or started; 0 while it still can.
std::int64_t ended_s(const EntitlementRecord& entitlement, std::int64_t now_s) {
  if (entitlement.record.state != rights::State::active) return entitlement.ended_at_s;
  return rights::denial(entitlement.record, now_s) ? rights::plays_until(entitlement.record) : 0;
}

bool is_over(std::int64_t then_s, std::int64_t kept_s, std::int64_t now_s) {
  return then_s + kept_s <= now_s;
}

}  // namespace

// What one page gives to remove. The parts of `units` go together, each in one transaction with others.
struct Sweeper::Removal {
  std::vector<Txn> units;
  std::uint64_t* count = nullptr;

  void add(const KeyValue& entry) { units.push_back(erasure_of(entry)); }
  static Txn erasure_of(const KeyValue& entry) {
    Txn unit;
    unit.compares = {Compare::unchanged(entry.key, entry.mod_revision)};
    unit.then_operations = {Operation::erase(entry.key)};
    return unit;
  }
};

Result<bool> Sweeper::step() {
  const std::int64_t now_s = time_.now_s();
  if (now_s >= next_compaction_s_) {
    next_compaction_s_ = now_s + kCompactionPeriodSeconds;
    REELWAY_TRY(compact_log());
    return false;
  }
  if (stage_ == Stage::resting) {
    if (now_s < next_pass_s_) return false;
    next_pass_s_ = now_s + kSweepPeriodSeconds;
    go_to_next_stage();
  }
  const Result<void> swept = sweep_page();
  if (!swept.ok()) ++counts_.failed_pages;
  const bool ended = stage_ == Stage::ended;
  if (ended) {
    stage_ = Stage::resting;
    ++counts_.passes;
  }
  if (!swept.ok()) return swept.error();
  return ended;
}

Result<void> Sweeper::sweep_page() {
  static constexpr std::array<std::string_view, 5> kPrefixes{"", kOrderResultPrefix, kEntitlementPrefix, kSlotsPrefix,
                                                             kPositionPrefix};
  const Result<Page> page = store_.range(kPrefixes[static_cast<std::size_t>(stage_)], kPage, after_);
  if (!page.ok()) {
    go_to_next_stage();
    return page.error();
  }
  Result<void> swept = sweep(*page);
  if (page->more && !page->entries.empty()) {
    after_ = page->entries.back().key;
  } else {
    go_to_next_stage();
  }
  return swept;
}

void Sweeper::go_to_next_stage() {
  stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
  after_.clear();
}

Result<void> Sweeper::sweep(const Page& page) {
  Removal removal;
  const std::int64_t now_s = time_.now_s();
  for (const KeyValue& entry : page.entries) {
    const Result<void> judged = judge(entry, now_s, removal);
    if (judged.ok()) continue;
    if (judged.error().code != ErrorCode::stored_data_corrupt) return judged.error();
    ++counts_.unreadable;
    telemetry::log_error("sweep: {}", describe(judged.error()));
  }
  return remove(removal);
}

// Adds the entry to what is removed if its time is over.
Result<void> Sweeper::judge(const KeyValue& entry, std::int64_t now_s, Removal& removal) {
  switch (stage_) {
    case Stage::order_results: {
      removal.count = &counts_.order_results;
      const auto result = parse_order_result(entry.key, entry.value);
      if (!result.ok()) return result.error();
      if (is_over(result->created_at_s, kOrderResultKeptSeconds, now_s)) removal.add(entry);
      return {};
    }
    case Stage::entitlements: {
      removal.count = &counts_.entitlements;
      const auto entitlement = parse_entitlement(entry.key, entry.value);
      if (!entitlement.ok()) return entitlement.error();
      const std::int64_t then_s = ended_s(*entitlement, now_s);
      if (then_s == 0 || !is_over(then_s, kEndedEntitlementKeptSeconds, now_s)) return {};
      // The account forgets it too, unless it has a newer one of that title.
      Txn unit = Removal::erasure_of(entry);
      const auto newest = find<rights::EntitlementId>(store_, account_key(entitlement->account, entitlement->title),
                                                      parse_newest_entitlement, unit.compares);
      if (!newest.ok()) return newest.error();
      if (newest->value == entitlement->id) unit.then_operations.push_back(Operation::erase(unit.compares.back().key));
      removal.units.push_back(std::move(unit));
      return {};
    }
    case Stage::slots: {
      removal.count = &counts_.slot_lists;
      auto slots = parse_slots(entry.key, entry.value);
      if (!slots.ok()) return slots.error();
      forget_lapsed(*slots, now_s);
      if (slots->empty()) removal.add(entry);
      return {};
    }
    case Stage::positions: {
      removal.count = &counts_.positions;
      const auto position = parse_position(entry.key, entry.value);
      if (!position.ok()) return position.error();
      if (is_over(position->saved_at_s, kPositionKeptSeconds, now_s)) removal.add(entry);
      return {};
    }
    case Stage::resting:
    case Stage::ended: break;
  }
  return {};
}

Result<void> Sweeper::remove(const Removal& removal) {
  for (std::size_t begin = 0; begin < removal.units.size(); begin += kRemovalsOfATransaction) {
    const std::size_t end = std::min(begin + kRemovalsOfATransaction, removal.units.size());
    Txn txn;
    for (std::size_t i = begin; i < end; ++i) {
      const Txn& unit = removal.units[i];
      txn.compares.insert(txn.compares.end(), unit.compares.begin(), unit.compares.end());
      txn.then_operations.insert(txn.then_operations.end(), unit.then_operations.begin(), unit.then_operations.end());
    }
    const Result<TxnReply> reply = commit(store_, txn);
    if (!reply.ok()) return reply.error();
    if (reply->succeeded) {
      *removal.count += end - begin;
    } else {
      ++counts_.changed_meanwhile;
    }
  }
  return {};
}

Result<void> Sweeper::compact_log() {
  const Result<StoreStatus> status = store_.status();
  if (!status.ok()) return status.error();
  const Revision floor = status->revision - kLogRevisionsKept;
  if (floor <= status->floor) return {};
  return store_.compact(floor);
}

}  // namespace reelway::origin
