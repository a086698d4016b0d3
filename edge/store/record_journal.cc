#include "edge/store/record_journal.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring.h"
#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kBatchMax = 512;
constexpr std::chrono::milliseconds kRetryAfter{1000};

}  // namespace

RecordJournal::RecordJournal(ring::Ring& ring, RecordIndex& index)
    : ring_(ring), index_(index), retry_(ring), worker_(ring, 1, 1, "store-journal") {}

void RecordJournal::put(RecordIndex::Change change, std::function<void(bool)> done) {
  CHECK(change.record.has_value());
  if (!healthy_) {
    ring_.defer([done = std::move(done)] { done(false); });
    return;
  }
  add({std::move(change), std::move(done)});
}

void RecordJournal::remove(std::string key, bool drop_body, std::function<void()> done) {
  add({{std::move(key), std::nullopt, std::nullopt, drop_body}, [done = std::move(done)](bool) { done(); }});
}

void RecordJournal::add(Entry entry) {
  waiting_.push_back(std::move(entry));
  schedule();
}

void RecordJournal::schedule() {
  if (scheduled_ || waiting_.empty() || !writing_.empty() || retry_.armed()) return;
  scheduled_ = true;
  ring_.defer([this] {
    scheduled_ = false;
    flush();
  });
}

void RecordJournal::flush() {
  const std::size_t count = std::min(waiting_.size(), kBatchMax);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  writing_.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
  waiting_.erase(waiting_.begin(), end);

  auto changes = std::make_shared<std::vector<RecordIndex::Change>>();
  for (const Entry& entry : writing_) changes->push_back(entry.change);
  auto ok = std::make_shared<bool>(false);
  const bool accepted = worker_.submit(
      [this, changes, ok] {
        const auto written = index_.apply(*changes);
        if (!written) telemetry::log_error("edge store: {}", describe(written.error()));
        *ok = written.ok();
      },
      [this, ok] { flushed(*ok); });
  CHECK(accepted);  // one batch at a time
}

void RecordJournal::flushed(bool ok) {
  healthy_ = ok;
  if (!ok) ++errors_;
  if (!ok && !giving_up_) {
    retain_removals();
    retry_.arm(kRetryAfter, [this] {
      healthy_ = true;  // until the next batch tells
      schedule();
    });
  }
  for (Entry& entry : std::exchange(writing_, {})) entry.done(ok);
  schedule();
}

void RecordJournal::retain_removals() {
  const auto puts = std::stable_partition(writing_.begin(), writing_.end(),
                                          [](const Entry& entry) { return entry.change.record.has_value(); });
  waiting_.insert(waiting_.begin(), std::move_iterator(puts), std::move_iterator(writing_.end()));
  writing_.erase(puts, writing_.end());
}

}  // namespace reelway::edge
