#pragma once

#include <cstdint>
#include <string>

#include "origin/rights/origin_time.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

inline constexpr std::int64_t kOrderResultKeptSeconds = 30 * 86'400;
inline constexpr std::int64_t kEndedEntitlementKeptSeconds = 30 * 86'400;  // longer than any token lives
inline constexpr std::int64_t kPositionKeptSeconds = 366 * 86'400;
inline constexpr Revision kLogRevisionsKept = 1'000'000;   // of the store's log, for watches that resume
inline constexpr std::int64_t kSweepPeriodSeconds = 3600;  // from the start of one pass to that of the next

// Removes what nobody can need any more, a page at a time, and compacts the store's log. Every removal compares that
// what it removes is unchanged. A record that cannot be read is left, and counted. One thread at a time; blocks.
class Sweeper {
 public:
  struct Counts {
    std::uint64_t passes = 0;
    std::uint64_t order_results = 0;
    std::uint64_t entitlements = 0;
    std::uint64_t slot_lists = 0;
    std::uint64_t positions = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t changed_meanwhile = 0;  // batches that the next pass takes up again
  };

  Sweeper(ControlStore& store, const OriginTime& time) : store_(store), time_(time) {}

  // The next page of a pass; nothing between passes. True when a pass has ended with it. After an error the next call
  // takes up the same page.
  Result<bool> step();
  const Counts& counts() const { return counts_; }

 private:
  enum class Stage : std::uint8_t { resting, order_results, entitlements, slots, positions, log };
  struct Removal;  // in sweeper.cc

  Result<void> sweep_page();
  Result<void> judge(const KeyValue& entry, std::int64_t now_s, Removal& removal);
  Result<void> remove(const Removal& removal);
  Result<void> compact_log();

  ControlStore& store_;
  const OriginTime& time_;
  Counts counts_;
  Stage stage_ = Stage::resting;
  std::string after_;  // the last key of the stage that was looked at
  std::int64_t next_pass_s_ = 0;
};

}  // namespace reelway::origin
