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
inline constexpr std::int64_t kCompactionPeriodSeconds = 3600;

// Removes what nobody can need any more, a page at a time, and compacts the store's log on a turn of its own. Every
// removal compares that what it removes is unchanged. A record that cannot be read is left, and counted. One thread at
// a time; blocks.
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
    std::uint64_t failed_pages = 0;       // as well
  };

  Sweeper(ControlStore& store, const OriginTime& time) : store_(store), time_(time) {}

  // The compaction when it is due, else the next page of a pass; nothing between passes. True when a pass has ended
  // with it. What has failed is left to the next pass, or to the next turn of the compaction: whatever is wrong with
  // one page neither holds up the others nor is tried each second. A kind whose keys cannot be listed is left as a
  // whole.
  Result<bool> step();
  const Counts& counts() const { return counts_; }

 private:
  enum class Stage : std::uint8_t { resting, order_results, entitlements, slots, positions, ended };
  struct Removal;  // in sweeper.cc

  Result<void> sweep_page();
  Result<void> sweep(const Page& page);
  void go_to_next_stage();
  Result<void> judge(const KeyValue& entry, std::int64_t now_s, Removal& removal);
  Result<void> remove(const Removal& removal);
  Result<void> compact_log();

  ControlStore& store_;
  const OriginTime& time_;
  Counts counts_;
  Stage stage_ = Stage::resting;
  std::string after_;  // the last key of the stage that was looked at
  std::int64_t next_pass_s_ = 0;
  std::int64_t next_compaction_s_ = 0;
};

}  // namespace reelway::origin
