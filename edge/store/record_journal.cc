#include "edge/store/record_journal.h"

#include <cerrno>
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
  std::vector<Done> done;  // of each; not for the worker
  bool start_anew = false;
  bool was_lost = false;
  bool is_damaged = false;
  bool ok = false;
  int error = 0;
};

RecordJournal::RecordJournal(ring::Ring& ring, RecordIndex& index, std::function<void()> lost,
                             std::function<void(int)> outcome, std::function<int()> fault)
    : ring_(ring),
      index_(index),
      lost_(std::move(lost)),
      outcome_(std::move(outcome)),
      fault_(std::move(fault)),
      retry_(ring),
      worker_(ring, 1, 1, "store-journal") {}

void RecordJournal::put(RecordIndex::Change change, std::function<void(bool)> done) {
  CHECK(change.record.has_value());
  if (!healthy_) {
    ring_.defer([done = std::move(done)] { done(false); });
    return;
  }
  add({std::move(change), [done = std::move(done)](const RecordIndex::Change&, bool written) { done(written); }});
}

void RecordJournal::rewrite(RecordIndex::Change change, std::function<void(std::int64_t)> done) {
  CHECK(change.rewrite != nullptr);
  add({std::move(change), [done = std::move(done)](const RecordIndex::Change& applied, bool written) {
         done(written ? applied.growth_bytes : 0);
       }});
}

void RecordJournal::remove(std::string key, bool drop_body, std::function<void()> done) {
  add({{std::move(key), std::nullopt, std::nullopt, drop_body},
       [done = std::move(done)](const RecordIndex::Change&, bool) { done(); }});
}

void RecordJournal::remove_note(std::string name) {
  RecordIndex::Change change{std::move(name), std::nullopt, std::nullopt, false};
  change.is_note = true;
  add({std::move(change), nullptr});
}

void RecordJournal::found_damage() {
  is_damaged_ = true;
  is_replacing_ = true;
  schedule();
}

void RecordJournal::give_up() {
  has_given_up_ = true;
  healthy_ = false;
  retry_.disarm();
  for (Entry& entry : std::exchange(waiting_, {})) {
    if (entry.done) entry.done(entry.change, false);
  }
}

void RecordJournal::add(Entry entry) {
  if (has_given_up_) {
    return ring_.defer([entry = std::move(entry)] {
      if (entry.done) entry.done(entry.change, false);
    });
  }
  waiting_.push_back(std::move(entry));
  schedule();
}

void RecordJournal::schedule() {
  if (has_given_up_) return;
  if (scheduled_ || (waiting_.empty() && !is_replacing_) || is_writing_ || retry_.armed()) return;
  scheduled_ = true;
  ring_.defer([this] {
    scheduled_ = false;
    if (!has_given_up_) flush();
  });
}

void RecordJournal::flush() {
  auto batch = std::make_shared<Batch>();
  for (; !waiting_.empty() && batch->changes.size() < kBatchMax; waiting_.pop_front()) {
    batch->changes.push_back(std::move(waiting_.front().change));
    batch->done.push_back(std::move(waiting_.front().done));
  }
  batch->start_anew = is_damaged_;
  is_replacing_ = false;
  is_writing_ = true;
  const bool accepted = worker_.submit([this, batch] { write(*batch); }, [this, batch] { flushed(*batch); });
  CHECK(accepted);  // one batch at a time
}

// On the worker.
void RecordJournal::write(Batch& batch) {
  Result<void> written;
  const int fault = fault_();
  if (fault != 0) written = system_error("write", "index", fault);
  if (written && batch.start_anew) {
    written = index_.start_anew();
    batch.was_lost = true;
  }
  if (written) written = index_.apply(batch.changes);
  batch.ok = written.ok();
  if (written) return;
  batch.is_damaged = written.error().code == ErrorCode::stored_data_corrupt;
  batch.error = written.error().code == ErrorCode::disk_full ? ENOSPC : EIO;
  if (fault != 0) batch.error = fault;
  telemetry::log_error("edge store: {}", describe(written.error()));
}

void RecordJournal::flushed(Batch& batch) {
  is_writing_ = false;
  healthy_ = batch.ok && !has_given_up_;
  is_damaged_ = batch.is_damaged;
  if (batch.was_lost) lost_();
  if (!batch.ok) ++errors_;
  outcome_(batch.error);
  if (!batch.ok && !giving_up_ && !has_given_up_) {
    retain_removals(batch);
    retry_.arm(kRetryAfter, [this] {
      healthy_ = true;  // until the next batch tells
      schedule();
    });
  }
  for (std::size_t i = 0; i < batch.changes.size(); ++i) {
    if (batch.done[i]) batch.done[i](batch.changes[i], batch.ok);
  }
  schedule();
}

void RecordJournal::retain_removals(Batch& batch) {
  for (std::size_t i = batch.changes.size(); i-- > 0;) {
    if (!batch.changes[i].is_removal()) continue;
    waiting_.push_front({std::move(batch.changes[i]), std::move(batch.done[i])});
    batch.done[i] = nullptr;
  }
}

}  // namespace reelway::edge
