#include "edge/replica/replica_writer.h"

#include <algorithm>
#include <utility>

#include "common/telemetry/log.h"

// step() decides what is next: nothing while a write is under way, a failed one waits for its repetition or the next
// slice of what changed for its turn; else to replace a damaged database, to begin or go on with writing all anew, or
// to write what changed.

namespace reelway::edge {
namespace {

// Until the ring's next turn: its timers are coarser.
constexpr std::chrono::milliseconds kNextTurn{1};

}  // namespace

ReplicaWriter::ReplicaWriter(ring::Ring& ring, ring::SideWorkers& workers, ReplicaStore& store, const ReplicaCopy& copy,
                             ReplicaWriterOptions options, bool was_set_aside)
    : ring_(ring),
      workers_(workers),
      store_(store),
      copy_(copy),
      options_(options),
      retry_after_(options.retry_min),
      retry_timer_(ring),
      gather_timer_(ring),
      dispose_timer_(ring) {
  if (was_set_aside) ++counters_.set_aside;
}

void ReplicaWriter::changed(const rights::EntitlementId& id) {
  if (rewrite_wanted_) return;
  changed_.insert(id);
  if (changed_.size() + repeat_.size() > options_.changed_max) begin_anew();
}

void ReplicaWriter::advanced() {
  advanced_ = true;
  step();
}

void ReplicaWriter::replaced() {
  begin_anew();
  step();
}

void ReplicaWriter::begin_anew() {
  rewrite_wanted_ = true;
  rewriting_ = false;
  next_bucket_ = 0;
  forget_changes();
}

void ReplicaWriter::forget_changes() {
  changed_.clear();
  repeat_.clear();
  gathered_.clear();
  writing_.clear();
}

void ReplicaWriter::dispose(std::unique_ptr<ReplicaTable> table) {
  kept_tables_.push_back(std::move(table));
  free_tables();
  // A worker that stands still must not fill the memory: then a pause of the ring is the lesser evil.
  if (kept_tables_.size() > options_.kept_tables_max) kept_tables_.pop_back();
}

void ReplicaWriter::free_tables() {
  while (!kept_tables_.empty()) {
    const auto shared = std::make_shared<std::unique_ptr<ReplicaTable>>(std::move(kept_tables_.back()));
    if (workers_.submit([shared] { shared->reset(); }, nullptr)) {
      kept_tables_.pop_back();
      continue;
    }
    kept_tables_.back() = std::move(*shared);
    return dispose_timer_.arm(options_.retry_min, [this] { free_tables(); });
  }
}

void ReplicaWriter::step() {
  if (busy_ || retry_timer_.armed() || gather_timer_.armed()) return;
  if (damaged_) return submit([](ReplicaStore& store) { return store.start_anew(); }, [this] { damaged_ = false; });
  if (rewrite_wanted_ || rewriting_) return step_rewrite();
  if (!advanced_ && nothing_changed()) return finish_flush();
  if (!gather()) return;
  submit([changes = take_gathered(), at = position()](ReplicaStore& store) { return store.apply(*changes, at); },
         [] {});
}

void ReplicaWriter::step_rewrite() {
  if (std::exchange(rewrite_wanted_, false)) {
    rewriting_ = true;
    next_bucket_ = 0;
    return submit([](ReplicaStore& store) { return store.begin_generation(); }, [] {});
  }
  if (next_bucket_ < rights::kBuckets) return write_slice();
  if (!gather()) return;
  submit([changes = take_gathered(),
          at = position()](ReplicaStore& store) { return store.finish_generation(*changes, at); },
         [this] {
           rewriting_ = false;
           ++counters_.rewrites;
         });
}

void ReplicaWriter::write_slice() {
  const auto records = std::make_shared<std::vector<rights::ReplicaRecord>>();
  while (next_bucket_ < rights::kBuckets && records->size() < options_.slice_records) {
    copy_.table->append_bucket(next_bucket_++, *records);
  }
  submit([records](ReplicaStore& store) { return store.add(*records); }, [] {});
}

void ReplicaWriter::submit(Work work, std::function<void()> written) {
  const auto outcome = std::make_shared<Result<void>>();
  busy_ = true;
  const bool taken = workers_.submit([outcome, work = std::move(work), store = &store_] { *outcome = work(*store); },
                                     [this, outcome, written] { ended(*outcome, written); });
  if (!taken) ended(Error{ErrorCode::overloaded, Side::self, true, "the queue beside the ring is full"}, written);
}

void ReplicaWriter::ended(const Result<void>& outcome, const std::function<void()>& written) {
  busy_ = false;
  if (!outcome.ok()) return fail(outcome.error());
  ++counters_.writes;
  retry_after_ = options_.retry_min;
  writing_.clear();
  written();
  step();
}

void ReplicaWriter::fail(const Error& error) {
  ++counters_.errors;
  telemetry::log_warn("replica: not written, the next try is in {} ms: {}", retry_after_.count(), describe(error));
  if (error.code == ErrorCode::stored_data_corrupt) {
    ++counters_.set_aside;
    damaged_ = true;
  }
  if (damaged_ || rewriting_) {
    begin_anew();
  } else if (!rewrite_wanted_) {
    repeat_.swap(writing_);
    advanced_ = true;
  }
  writing_.clear();
  if (flushed_) return finish_flush();
  retry_timer_.arm(retry_after_, [this] { step(); });
  retry_after_ = std::min(retry_after_ * 2, options_.retry_max);
}

void ReplicaWriter::flush(std::function<void()> done) {
  flushed_ = std::move(done);
  retry_timer_.disarm();
  const std::size_t left = copy_.table->size() / rights::kBuckets * (rights::kBuckets - next_bucket_);
  if ((rewrite_wanted_ || rewriting_) && left > options_.flush_records_max) {
    rewrite_wanted_ = rewriting_ = advanced_ = false;
    forget_changes();
  }
  step();
}

void ReplicaWriter::finish_flush() {
  if (flushed_) ring_.defer(std::exchange(flushed_, nullptr));
}

// Copies a slice of what changed. True when nothing is left to be copied: position() belongs to it in this turn only.
// What changes after it was copied is in changed_ again, comes behind its former copy, and the later one counts.
bool ReplicaWriter::gather() {
  if (gathered_.empty()) {
    gathered_.reserve(changed_.size() + repeat_.size());
    writing_.reserve(changed_.size() + repeat_.size());
  }
  std::size_t room = options_.gather_records;
  for (; room > 0 && !repeat_.empty(); --room) {
    if (!changed_.contains(repeat_.back())) gather_one(repeat_.back());
    repeat_.pop_back();
  }
  for (; room > 0 && !changed_.empty(); --room) gather_one(changed_.extract(changed_.begin()).value());
  if (changed_.empty() && repeat_.empty()) return true;
  gather_timer_.arm(kNextTurn, [this] { step(); });
  return false;
}

void ReplicaWriter::gather_one(const rights::EntitlementId& id) {
  StoredChange& change = gathered_.emplace_back();
  change.id = id;
  if (const ReplicaTable::Entry* entry = copy_.table->find(id)) change.entry = *entry;
  writing_.push_back(id);
}

std::shared_ptr<const std::vector<StoredChange>> ReplicaWriter::take_gathered() {
  advanced_ = false;
  return std::make_shared<const std::vector<StoredChange>>(std::exchange(gathered_, {}));
}

StoredPosition ReplicaWriter::position() const {
  return {copy_.cluster,      options_.shard,      copy_.position,     copy_.comparable_from,
          copy_.beat_time_ms, copy_.table->size(), copy_.table->root()};
}

}  // namespace reelway::edge
