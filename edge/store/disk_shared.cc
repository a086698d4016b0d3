#include "edge/store/disk_shared.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace reelway::edge {

namespace {

// Edits the record of what lies at `place`, if it is still there by then.
void rewrite(DiskShared& shared, std::string_view key, const StoredPlace& place, std::function<bool(DiskRecord&)> edit,
             Gate::Pass lent) {
  if (!lent) return;
  auto pass = std::make_shared<Gate::Pass>(std::move(lent));
  RecordIndex::Change change;
  change.key = key;
  change.rewrite = [sequence = place.sequence(), edit = std::move(edit)](DiskRecord& record) {
    return record.sequence == sequence && edit(record);
  };
  shared.journal.rewrite(std::move(change), [&index = shared.index, key = std::string(key), sequence = place.sequence(),
                                             pass](std::int64_t growth_bytes) {
    const auto now = index.find(key);
    if (now && now->sequence() == sequence && now->is_inline()) index.resize(key, growth_bytes);
  });
}

}  // namespace

void DiskShared::remove(std::string_view key) {
  auto place = index.remove(key);
  if (!place || recording.contains(std::string(key))) return;
  const bool is_inline = place->is_inline();
  // The closure holds the place, and the gate, until RocksDB has the removal.
  auto pass = std::make_shared<Gate::Pass>(gate.enter());
  journal.remove(std::string(key), is_inline, [place = std::move(place), pass = std::move(pass)] {});
}

void DiskShared::freshen(std::string_view key, ObjectMeta meta, Gate::Pass pass) {
  const auto place = index.find(key);
  if (!place) return;
  place->set_marks(PurgeMarks::of(meta));
  rewrite(
      *this, key, *place,
      [meta = std::move(meta)](DiskRecord& record) {
        if (!is_same_body(meta, record.meta)) return false;
        freshen_record(record, meta);
        return true;
      },
      std::move(pass));
}

void DiskShared::mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch) {
  const auto place = index.find(key);
  if (!place) return;
  PurgeMarks marks = place->marks();
  marks.epoch = std::max(marks.epoch, purge_epoch);
  place->set_marks(std::move(marks));
  rewrite(
      *this, key, *place,
      [at_ms, purge_epoch](DiskRecord& record) {
        record.meta.fresh_until_ms = std::min(record.meta.fresh_until_ms, at_ms);
        record.meta.purge_epoch = std::max(record.meta.purge_epoch, purge_epoch);
        return true;
      },
      gate.enter());
}

}  // namespace reelway::edge
