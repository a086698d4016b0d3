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

// What goes to the worker and comes back.
struct RecordJournal::Batch {
  std::vector<RecordIndex::Change> changes;
  bool start_anew = false;
  bool was_lost = false;
  bool is_damaged = false;
  bool ok = false;
};

RecordJournal::RecordJournal(ring::Ring& ring, RecordIndex& index, std::function<void()> lost)
    : ring_(ring), index_(index), lost_(std::move(lost)), retry_(ring), worker_(ring, 1, 1, "store-journal") {}

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

  auto batch = std::make_shared<Batch>();
  for (const Entry& entry : writing_) batch->changes.push_back(entry.change);
  batch->start_anew = is_damaged_;
  const bool accepted = worker_.submit([this, batch] { write(*batch); }, [this, batch] { flushed(*batch); });
  CHECK(accepted);  // one batch at a time
}

// On the worker.
void RecordJournal::write(Batch& batch) {
  Result<void> written;
  if (batch.start_anew) {
    written = index_.start_anew();
    batch.was_lost = true;
  }
  if (written) written = index_.apply(batch.changes);
  batch.ok = written.ok();
  if (written) return;
  batch.is_damaged = written.error().code == ErrorCode::stored_data_corrupt;
  telemetry::log_error("edge store: {}", describe(written.error()));
}

void RecordJournal::flushed(const Batch& batch) {
  healthy_ = batch.ok;
  is_damaged_ = batch.is_damaged;
  if (batch.was_lost) lost_();
  if (!batch.ok) ++errors_;
  if (!batch.ok && !giving_up_) {
    retain_removals();
    retry_.arm(kRetryAfter, [this] {
      healthy_ = true;  // until the next batch tells
      schedule();
    });
  }
  for (Entry& entry : std::exchange(writing_, {})) entry.done(batch.ok);
  schedule();
}

void RecordJournal::retain_removals() {
  const auto puts = std::stable_partition(writing_.begin(), writing_.end(),
                                          [](const Entry& entry) { return entry.change.record.has_value(); });
  waiting_.insert(waiting_.begin(), std::move_iterator(puts), std::move_iterator(writing_.end()));
  writing_.erase(puts, writing_.end());
}

}  // namespace reelway::edge
