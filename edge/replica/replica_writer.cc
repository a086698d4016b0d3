#include "edge/replica/replica_writer.h"

#include <algorithm>
#include <utility>

#include "common/telemetry/log.h"

// step() decides what is next: nothing while a write is under way or a failed one waits for its repetition; else to
// replace a damaged database, to begin or go on with writing all anew, or to write what changed.

namespace reelway::edge {
namespace {

// When the process is to end, a rewriting with more than this left is given up: the old form counts on.
constexpr std::size_t kFlushRecordsMax = 1'000'000;

}  // namespace

ReplicaWriter::ReplicaWriter(ring::Ring& ring, ring::SideWorkers& workers, ReplicaStore& store, const ReplicaCopy& copy,
                             ReplicaWriterOptions options, bool was_set_aside)
    : ring_(ring),
      workers_(workers),
      store_(store),
      copy_(copy),
      options_(options),
      retry_after_(options.retry_min),
      retry_timer_(ring) {
  if (was_set_aside) ++counters_.set_aside;
}

void ReplicaWriter::changed(const rights::EntitlementId& id) {
  if (rewrite_wanted_) return;
  changed_.insert(id);
  if (changed_.size() > options_.changed_max) begin_anew();
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
  changed_.clear();
}

void ReplicaWriter::dispose(std::unique_ptr<ReplicaTable> table) {
  const auto shared = std::make_shared<std::unique_ptr<ReplicaTable>>(std::move(table));
  // When there is no room in the queue it goes here and now.
  (void)workers_.submit([shared] { shared->reset(); }, nullptr);
}

void ReplicaWriter::step() {
  if (busy_ || retry_timer_.armed()) return;
  if (damaged_) return submit([](ReplicaStore& store) { return store.start_anew(); }, [this] { damaged_ = false; });
  if (rewrite_wanted_ || rewriting_) return step_rewrite();
  if (!advanced_ && changed_.empty()) return finish_flush();
  const auto changes = std::make_shared<const std::vector<StoredChange>>(take_changed());
  submit([changes, at = position()](ReplicaStore& store) { return store.apply(*changes, at); }, [] {});
}

void ReplicaWriter::step_rewrite() {
  if (std::exchange(rewrite_wanted_, false)) {
    rewriting_ = true;
    next_bucket_ = 0;
    return submit([](ReplicaStore& store) { return store.begin_generation(); }, [] {});
  }
  if (next_bucket_ < rights::kBuckets) return write_slice();
  const auto changes = std::make_shared<const std::vector<StoredChange>>(take_changed());
  submit([changes, at = position()](ReplicaStore& store) { return store.finish_generation(*changes, at); },
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
    changed_.insert(writing_.begin(), writing_.end());
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
  if ((rewrite_wanted_ || rewriting_) && left > kFlushRecordsMax) {
    rewrite_wanted_ = rewriting_ = advanced_ = false;
    changed_.clear();
  }
  step();
}

void ReplicaWriter::finish_flush() {
  if (flushed_) ring_.defer(std::exchange(flushed_, nullptr));
}

std::vector<StoredChange> ReplicaWriter::take_changed() {
  advanced_ = false;
  writing_.assign(changed_.begin(), changed_.end());
  changed_.clear();
  std::vector<StoredChange> changes;
  changes.reserve(writing_.size());
  for (const rights::EntitlementId& id : writing_) {
    StoredChange& change = changes.emplace_back();
    change.id = id;
    if (const ReplicaTable::Entry* entry = copy_.table->find(id)) change.entry = *entry;
  }
  return changes;
}

StoredPosition ReplicaWriter::position() const {
  return {copy_.cluster,      options_.shard,      copy_.position,     copy_.comparable_from,
          copy_.beat_time_ms, copy_.table->size(), copy_.table->root()};
}

}  // namespace reelway::edge
