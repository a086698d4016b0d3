#include "edge/store/disk_shared.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace reelway::edge {

namespace {

// While the index is not there yet. Sequences begin at 1.
constexpr std::uint64_t kAnySequence = 0;

// Edits the record of this sequence, if it is still there by then.
void rewrite(DiskShared& shared, std::string_view key, std::uint64_t sequence, std::function<bool(DiskRecord&)> edit,
             Gate::Pass lent) {
  if (!lent) return;
  auto pass = std::make_shared<Gate::Pass>(std::move(lent));
  RecordIndex::Change change;
  change.key = key;
  change.rewrite = [sequence, edit = std::move(edit)](DiskRecord& record) {
    return (sequence == kAnySequence || record.sequence == sequence) && edit(record);
  };
  shared.journal.rewrite(std::move(change),
                         [&index = shared.index, key = std::string(key), sequence, pass](std::int64_t growth_bytes) {
                           const auto now = index.find(key);
                           if (now && now->sequence() == sequence && now->is_inline()) index.resize(key, growth_bytes);
                         });
}

}  // namespace

void DiskShared::remove(std::string_view key) {
  if (loading.is_under_way()) {
    loading.removed(key);
    auto entered = std::make_shared<Gate::Pass>(gate.enter());
    return journal.remove(std::string(key), true, [entered] {});
  }
  auto place = index.remove(key);
  if (!place || recording.contains(std::string(key))) return;
  const bool is_inline = place->is_inline();
  // The closure holds the place, and the gate, until RocksDB has the removal.
  auto pass = std::make_shared<Gate::Pass>(gate.enter());
  journal.remove(std::string(key), is_inline, [place = std::move(place), pass = std::move(pass)] {});
}

void DiskShared::freshen(std::string_view key, ObjectMeta meta, Gate::Pass pass) {
  const auto place = index.find(key);
  if (!place && !loading.is_under_way()) return;
  place ? place->set_marks(PurgeMarks::of(meta)) : loading.marked(key, PurgeMarks::of(meta));
  rewrite(
      *this, key, place ? place->sequence() : kAnySequence,
      [meta = std::move(meta)](DiskRecord& record) {
        if (!is_same_body(meta, record.meta)) return false;
        freshen_record(record, meta);
        return true;
      },
      std::move(pass));
}

void DiskShared::mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch) {
  const auto place = index.find(key);
  if (!place && !loading.is_under_way()) return;
  if (place) {
    PurgeMarks marks = place->marks();
    marks.epoch = std::max(marks.epoch, purge_epoch);
    place->set_marks(std::move(marks));
  }
  rewrite(
      *this, key, place ? place->sequence() : kAnySequence,
      [at_ms, purge_epoch](DiskRecord& record) {
        record.meta.fresh_until_ms = std::min(record.meta.fresh_until_ms, at_ms);
        record.meta.purge_epoch = std::max(record.meta.purge_epoch, purge_epoch);
        return true;
      },
      gate.enter());
}

}  // namespace reelway::edge
