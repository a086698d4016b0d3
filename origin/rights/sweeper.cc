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

  void add(const KeyValue& entry) {
    Txn unit;
    unit.compares = {Compare::unchanged(entry.key, entry.mod_revision)};
    unit.then_operations = {Operation::erase(entry.key)};
    units.push_back(std::move(unit));
  }
};

Result<bool> Sweeper::step() {
  if (stage_ == Stage::resting) {
    if (time_.now_s() < next_pass_s_) return false;
    next_pass_s_ = time_.now_s() + kSweepPeriodSeconds;
    stage_ = Stage::order_results;
    after_.clear();
  }
  if (stage_ != Stage::log) {
    REELWAY_TRY(sweep_page());
    return false;
  }
  REELWAY_TRY(compact_log());
  stage_ = Stage::resting;
  ++counts_.passes;
  return true;
}

Result<void> Sweeper::sweep_page() {
  static constexpr std::array<std::string_view, 6> kPrefixes{"",           kOrderResultPrefix, kEntitlementPrefix,
                                                             kSlotsPrefix, kPositionPrefix,    ""};
  const Result<Page> page = store_.range(kPrefixes[static_cast<std::size_t>(stage_)], kPage, after_);
  if (!page.ok()) return page.error();
  Removal removal;
  const std::int64_t now_s = time_.now_s();
  for (const KeyValue& entry : page->entries) {
    const Result<void> judged = judge(entry, now_s, removal);
    if (judged.ok()) continue;
    if (judged.error().code != ErrorCode::stored_data_corrupt) return judged.error();
    ++counts_.unreadable;
    telemetry::log_error("sweep: {}", describe(judged.error()));
  }
  REELWAY_TRY(remove(removal));
  if (!page->entries.empty()) after_ = page->entries.back().key;
  if (!page->more) {
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    after_.clear();
  }
  return {};
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
      removal.add(entry);
      // The account forgets it too, unless it has a newer one of that title.
      Txn& unit = removal.units.back();
      const auto newest = find<rights::EntitlementId>(store_, account_key(entitlement->account, entitlement->title),
                                                      parse_newest_entitlement, unit.compares);
      if (!newest.ok()) return newest.error();
      if (newest->value == entitlement->id) unit.then_operations.push_back(Operation::erase(unit.compares.back().key));
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
    case Stage::log: break;
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
